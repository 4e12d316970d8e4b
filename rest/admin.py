"""The admin of resources."""

import re
from collections.abc import Callable
from typing import Any

import structlog
from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.admin.widgets import url_params_from_lookup_dict
from django.core.exceptions import ValidationError
from django.db import Error, models, transaction
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from service import logins
from service.database_errors import is_temporary
from service.errors import one_line

View = Callable[..., HttpResponseBase]

logger = structlog.get_logger(__name__)

KEY = re.compile("[0-9]{1,18}")
# What an impossible filter raises, at the latest when its query is executed.
IMPOSSIBLE = (
    *(ArithmeticError, LookupError, TypeError, ValueError, Error),
    DisallowedModelAdminLookup,
)


class AdminSite(admin.AdminSite):
    """Django's admin site, which shows the whole list if a filter, search or choice is impossible.

    Django itself catches only the errors of preparing a query. Years beyond 9999, large numbers,
    invalid regular expressions, NULs and keys of rows that are no keys fail later.
    """

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models, and let each be filtered by its declared filters only."""
        admin_class = admin_class or admin.ModelAdmin
        declared = type(admin_class.__name__, (DeclaredLookups, admin_class), {})
        super().register(model_or_iterable, declared, **options)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        if getattr(view, "__name__", "") == "changelist_view":
            view = without_bad_query(view, view.__self__.model)
        return super().admin_view(view, cacheable)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Limit guesses of the old password, and how many are checked at a time, as for logins."""
        if request.method != "POST":
            return super().password_change(request, extra_context)
        name, address = request.user.get_username(), logins.address_of(request)
        with logins.turn(name, address):
            response = super().password_change(request, extra_context)
            context: Any = getattr(response, "context_data", None)  # a redirect has none
            if context and "old_password" in context["form"].errors:
                logins.remember_failure(name, address)
        return response


class DeclaredLookups:
    """Allows the lookups that the page of a list offers, and no others.

    Django allows every lookup of the model's own fields, such as ``name__regex``. On SQLite, one
    such request runs in Python for minutes, where no timeout of the database ends it.
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        allowed: bool = super().lookup_allowed(lookup, value, request)  # type: ignore[misc]
        return allowed and lookup in offered_lookups(self, request)


# What Django's filters put behind the name of their field.
SUFFIXES = ["", "__exact", "__isnull", "__isempty", "__gte", "__lt"]


def offered_lookups(model_admin: Any, request: HttpRequest | None) -> set[str]:
    """The query parameters of the list filters, of the date hierarchy and of limited choices."""
    lookups = set()
    for declared in model_admin.get_list_filter(request):
        if isinstance(declared, type):  # a subclass of SimpleListFilter
            lookups.add(declared.parameter_name)  # type: ignore[attr-defined]
            continue
        name = declared if isinstance(declared, str) else declared[0]
        field: Any = get_fields_from_path(model_admin.model, name)[-1]
        names = [name]
        if field.is_relation:
            names.append(f"{name}__{field.target_field.name}")
        lookups |= {f"{each}{suffix}" for each in names for suffix in SUFFIXES}
    if hierarchy := model_admin.date_hierarchy:
        lookups |= {f"{hierarchy}__{part}" for part in ("year", "month", "day")}
    for choices in model_admin.model._meta.related_fkey_lookups:
        lookups |= url_params_from_lookup_dict(choices() if callable(choices) else choices).keys()
    return lookups


def without_bad_query(changelist_view: View, model: type[models.Model]) -> View:
    """The view, which redirects to the list without a query if the query is impossible."""

    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        unfiltered = f"{request.path}?{ERROR_FLAG}=1"
        try:
            response = changelist_view(request, *args, **kwargs)
        except IMPOSSIBLE as error:
            has_query = bool(request.GET.keys() - {ERROR_FLAG})
            asked_for = has_query or chooses_no_rows(request, model)
            if not asked_for or (isinstance(error, Error) and is_temporary(error)):
                raise
            logger.warning(
                "a list of the admin cannot be filtered as asked",
                error=f"{type(error).__name__}: {one_line(error)}",
            )
            response = HttpResponseRedirect(unfiltered)
        if response.get("Location") == unfiltered:
            text = "The list cannot be filtered as asked for, so this is all of it."
            if request.method == "POST":
                text += " No action was carried out."
            messages.error(request, text)
        return response

    return view


def chooses_no_rows(request: HttpRequest, model: type[models.Model]) -> bool:
    """Whether an action is for keys that no row can have."""
    key_field: Any = model._meta.pk
    for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
        try:
            key_field.to_python(key)
        except ValidationError:
            return True
    return False


class ResourceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The admin of a Resource.

    A form writes only the fields that were changed, as the row's next version, under its lock.
    """

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
        """Save inline rows in the same way."""
        formset.save(commit=False)
        for obj in formset.deleted_objects:
            obj.delete()
        for obj, fields in formset.changed_objects:
            values = {field: getattr(obj, field) for field in fields}
            # Read again under a lock: the version may have grown since the form was validated.
            for row in type(obj)._base_manager.select_for_update().filter(pk=obj.pk):
                row.change(values)
        for obj in formset.new_objects:
            obj.save()
        formset.save_m2m()


class FirstRows(BaseInlineFormSet):  # type: ignore[type-arg]
    """The first ``limit`` rows of a parent, so that the form fits into the largest body."""

    model: Any
    limit = 35  # with a text of 255 characters, all of them escaped, each row takes 3.2 KB

    def get_queryset(self) -> Any:
        """Return the first rows; for a submitted form, the rows that it names.

        Others may be first by now. A row that is no longer there becomes an unsaved instance,
        and clean() refuses the form.
        """
        if not self.is_bound:
            return super().get_queryset()[: self.limit]
        keys = self.submitted_keys()
        found = super().get_queryset().filter(pk__in=[key for key in keys if KEY.fullmatch(key)])
        rows = {str(row.pk): row for row in found}
        return [rows.get(key) or self.model() for key in keys]

    def submitted_keys(self) -> list[str]:
        count = min(self.initial_form_count(), self.absolute_max)
        prefixes = [self.add_prefix(number) for number in range(count)]
        return [self.data.get(f"{prefix}-{self.model._meta.pk.name}", "") for prefix in prefixes]

    def clean(self) -> None:
        super().clean()
        if any(form.instance.pk is None for form in self.initial_forms):
            raise ValidationError(
                f"One of these {self.model._meta.verbose_name_plural} has been deleted or moved "
                "since this page was opened. Nothing was saved; open the page again."
            )


class ResourceInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows of a parent on the parent's page."""

    formset = FirstRows
    extra = 1
    show_change_link = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = self.model._meta.verbose_name_plural
        self.verbose_name_plural = f"{rows} (the first {FirstRows.limit})"
