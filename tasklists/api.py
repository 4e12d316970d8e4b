"""The API's resources: members, filters and what is served. How it is served is in rest/."""

from typing import Any

from django.utils import timezone
from django_filters.rest_framework import FilterSet

from rest.filters import BooleanFilter, TextFilter
from rest.serializers import ResourceSerializer, StrictBooleanField
from rest.viewsets import VersionedViewSet
from tasklists.models import Task, TaskList

COMMON = ["created_at", "updated_at", "version"]


class TaskListSerializer(ResourceSerializer):
    class Meta:
        model = TaskList
        fields = ["id", "name", *COMMON]
        extra_kwargs = {
            "name": {"help_text": "1 to 255 characters, without white space around them."}
        }
        example = {
            "id": 1,
            "name": "shopping",
            "created_at": "2026-11-26T08:15:30.123456Z",
            "updated_at": "2026-11-26T08:15:30.123456Z",
            "version": 1,
        }


class TaskListFilter(FilterSet):  # type: ignore[misc]
    # A name is never longer, and SQLite refuses patterns that are very long.
    name = TextFilter(max_length=255, label="Name is")
    name__icontains = TextFilter(
        field_name="name", lookup_expr="icontains", max_length=255, label="Name contains"
    )


class TaskListViewSet(VersionedViewSet):
    """Task lists."""

    serializer_class = TaskListSerializer
    filterset_class = TaskListFilter


class TaskSerializer(ResourceSerializer):
    completed = StrictBooleanField(
        default=False, help_text="Completing a task again keeps the time of the first completion."
    )

    class Meta:
        model = Task
        fields = [
            "id",
            "url",
            "list",
            "title",
            "completed",
            "completed_at",
            "due",
            "order",
            *COMMON,
        ]
        read_only_fields = ["completed_at"]
        extra_kwargs = {
            "list": {
                "required": False,
                "help_text": "Another list's id moves the task to the end of that list.",
            },
            "title": {"help_text": "1 to 255 characters, without white space around them."},
            "due": {"help_text": "A date such as 2027-02-28."},
            "order": {
                "help_text": "The position in the list; by default after the last task. Tasks "
                "may share a position, and are then in the order of their ids."
            },
        }
        example = {
            "id": 7,
            "url": "http://localhost:5000/tasks/7",
            "list": 1,
            "title": "milk",
            "completed": False,
            "completed_at": None,
            "due": "2027-02-28",
            "order": 3,
            "created_at": "2026-11-26T08:15:30.123456Z",
            "updated_at": "2026-11-26T08:15:30.123456Z",
            "version": 1,
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "completed" in attrs:
            attrs["completed_at"] = timezone.now() if attrs.pop("completed") else None
        return attrs


class TaskFilter(FilterSet):  # type: ignore[misc]
    completed = BooleanFilter(label="Completed")


class TaskViewSet(VersionedViewSet):
    """Tasks of a list."""

    serializer_class = TaskSerializer
    filterset_class = TaskFilter
    parent = "list"
    bulk_members = ("completed",)
