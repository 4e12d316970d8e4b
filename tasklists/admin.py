from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from tasklists.models import TaskList

admin.site.site_header = admin.site.site_title = "Tasklists"


@admin.register(TaskList)
class TaskListAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "id", "version", "created_at", "updated_at"]
    list_filter = ["created_at", "updated_at"]
    search_fields = ["name"]
    date_hierarchy = "created_at"
    ordering = ["id"]
    readonly_fields = ["id", "version", "created_at", "updated_at"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskList]:
        """The form's own transaction locks the row that it changes."""
        lists = super().get_queryset(request)
        if request.method == "POST" and transaction.get_connection().in_atomic_block:
            return lists.select_for_update()
        return lists

    def save_model(
        self, request: HttpRequest, obj: TaskList, form: "ModelForm[TaskList]", change: bool
    ) -> None:
        if change:
            obj.change({field: form.cleaned_data[field] for field in form.changed_data})
        else:
            super().save_model(request, obj, form, change)
