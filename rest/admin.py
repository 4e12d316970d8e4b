"""The admin of resources."""

from typing import Any

from django.contrib import admin
from django.db import models, transaction
from django.http import HttpRequest


class ResourceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Writes only the fields that were changed, as the row's next version, under its lock."""

    list_filter = ["created_at", "updated_at"]
    date_hierarchy = "created_at"
    readonly_fields = ["id", "version", "created_at", "updated_at"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Lock the row that a form changes; the admin opens the transaction."""
        rows = super().get_queryset(request)
        if request.method == "POST" and transaction.get_connection().in_atomic_block:
            return rows.select_for_update(of=["self"])
        return rows

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            obj.change({field: form.cleaned_data[field] for field in form.changed_data})
        else:
            super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save inline rows the same way as the row itself."""
        formset.save(commit=False)
        for obj in formset.deleted_objects:
            obj.delete()
        for obj, fields in formset.changed_objects:
            values = {field: getattr(obj, field) for field in fields}
            type(obj)._base_manager.select_for_update().get(pk=obj.pk).change(values)
        for obj in formset.new_objects:
            obj.save()
        formset.save_m2m()
