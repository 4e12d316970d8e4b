"""Filters that are spelt wrong are refused, not ignored."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from tasklists.api.exceptions import InvalidParameters
from tasklists.models import TaskList


class TaskListFilter(FilterSet):  # type: ignore[misc]
    # A name is never longer, and SQLite refuses patterns that are very long.
    name = django_filters.CharFilter(max_length=255, label="Name is")
    name__icontains = django_filters.CharFilter(
        field_name="name", lookup_expr="icontains", max_length=255, label="Name contains"
    )

    class Meta:
        model = TaskList
        fields: list[str] = []


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]
    """django-filter that answers 400 to parameters nobody knows, and lists those it knows."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        if not request.query_params:
            return queryset
        known = [*view.filterset_class.base_filters, *view.pagination_class.parameters]
        unknown = request.query_params.keys() - set(known)
        if unknown:
            message = f"This parameter is unknown; known are {', '.join(known)}."
            raise InvalidParameters({name: [message] for name in sorted(unknown)})
        if not request.query_params.keys() & view.filterset_class.base_filters.keys():
            return queryset  # a form to check nothing would take a sixth of the time
        try:
            return super().filter_queryset(request, queryset, view)
        except ValidationError as error:
            raise InvalidParameters(error.detail) from None
