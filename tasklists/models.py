"""What the service stores."""

from django.db import models
from django.db.models import Q

from rest.models import FirstTimeField, ParentField, PositionField, Resource
from rest.search import SearchIndex


class TaskList(Resource):
    """A named list of tasks."""

    name = models.CharField(max_length=255)

    class Meta(Resource.Meta):
        indexes = [
            models.Index(fields=["name", "id"], name="lists_by_name"),
            SearchIndex(fields=["name"], name="lists_by_part_of_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Task(Resource):
    """A task in a list; ``completed`` is derived from ``completed_at``."""

    # The indexes below serve queries for the tasks of a list.
    list = ParentField(TaskList, related_name="tasks", db_index=False)
    title = models.CharField(max_length=255)
    completed_at = FirstTimeField(null=True, blank=True)
    completed = models.GeneratedField(
        expression=Q(completed_at__isnull=False),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
    )
    due = models.DateField(null=True, blank=True)
    order = PositionField(within="list")

    class Meta(Resource.Meta):
        ordering = ["order", "id"]
        indexes = [
            models.Index(fields=["list", "order", "id"], name="tasks_of_a_list"),
            models.Index(fields=["list", "completed", "order", "id"], name="tasks_by_completion"),
        ]

    def __str__(self) -> str:
        return self.title
