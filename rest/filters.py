"""Filters of collections, which refuse what they do not understand."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from rest.exceptions import MAX_NAME, MAX_UNKNOWN, InvalidParameters


class TrueOrFalse(forms.TypedChoiceField):
    default_error_messages = {"invalid_choice": "This has to be true or false."}

    def __init__(self, **kwargs: Any) -> None:
        choices = [("", "---------"), ("true", "true"), ("false", "false")]
        super().__init__(
            choices=choices, coerce=lambda text: text == "true", empty_value=None, **kwargs
        )


class TextFilter(django_filters.CharFilter):  # type: ignore[misc]
    """Compares the text as it is given. django-filter's own removes white space around it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)


@extend_schema_field({"type": "boolean"})
class BooleanFilter(django_filters.Filter):  # type: ignore[misc]
    """``true`` or ``false``. django-filter's own ignores anything else, even a misspelt value."""

    field_class = TrueOrFalse


def check_parameters(
    parameters: QueryDict, known: Sequence[str], *, may_be_empty: bool = False
) -> None:
    """Raise InvalidParameters for parameters that are unknown, given twice, or empty."""
    invalid = {}
    for name, values in parameters.lists():
        if name not in known:
            others = f"known are {', '.join(known)}" if known else "there are none here"
            invalid[name] = f"This parameter is unknown; {others}."
        elif len(values) > 1:
            invalid[name] = "This parameter is given more than once."
        elif not values[0] and not may_be_empty:
            invalid[name] = "This parameter is empty."
    if invalid:
        raise InvalidParameters(
            {name[:MAX_NAME]: [invalid[name]] for name in sorted(invalid)[:MAX_UNKNOWN]}
        )


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]
    """django-filter, but a parameter that is unknown or given twice is 400.

    When all selected rows are changed or deleted, an empty parameter is 400 too, because it would
    select every row. A list accepts it, because browsers send the empty fields of the filter form.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        parameters = request.query_params
        if not parameters or view.action == "metadata":  # OPTIONS looks for the row alone
            return queryset
        filters = view.filterset_class.base_filters
        is_list = view.action == "list"
        known = [*filters, *(view.pagination_class.parameters if is_list else ())]
        check_parameters(parameters, known, may_be_empty=is_list)
        if not parameters.keys() & filters.keys():
            return queryset  # making and validating the form takes a sixth of the request
        try:
            return super().filter_queryset(request, queryset, view)
        except ValidationError as error:
            raise InvalidParameters(error.detail) from None
