from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from rest.admin import ResourceAdmin, ResourceInline
from tasklists.models import Task, TaskList

admin.site.site_header = admin.site.site_title = "Tasklists"


class CompletedColumn:
    """Shows ``completed`` as an icon, which Django does not do for a generated field."""

    @admin.display(boolean=True, description="completed", ordering="completed_at")
    def is_completed(self, task: Task) -> bool:
        return bool(task.completed)


class TaskInline(CompletedColumn, ResourceInline):
    model = Task
    fields = ["title", "due", "order", "is_completed"]
    readonly_fields = ["is_completed"]


@admin.register(TaskList)
class TaskListAdmin(ResourceAdmin):
    list_display = ["name", "id", "version", "created_at", "updated_at"]
    search_fields = ["name"]
    inlines = [TaskInline]


class CompletedFilter(admin.SimpleListFilter):
    """Django's own filter for a generated field would look for its values in the whole table."""

    title = "completed"
    parameter_name = "completed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("true", "Yes"), ("false", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        if self.value() in ("true", "false"):
            return queryset.filter(completed=self.value() == "true")
        return queryset


@admin.register(Task)
class TaskAdmin(CompletedColumn, ResourceAdmin):
    list_display = ["title", "list", "is_completed", "due", "order", "version", "updated_at"]
    list_filter = [CompletedFilter, "due", *ResourceAdmin.list_filter]
    list_select_related = ["list"]
    search_fields = ["title"]
    raw_id_fields = ["list"]
    readonly_fields = ["is_completed", "completed_at", *ResourceAdmin.readonly_fields]
    actions = ["complete", "reopen"]

    @admin.action(description="Complete the selected tasks", permissions=["change"])
    def complete(self, request: HttpRequest, tasks: QuerySet[Task]) -> None:
        self.set_completed_at(request, tasks.filter(completed=False), timezone.now())

    @admin.action(description="Reopen the selected tasks", permissions=["change"])
    def reopen(self, request: HttpRequest, tasks: QuerySet[Task]) -> None:
        self.set_completed_at(request, tasks.filter(completed=True), None)

    def set_completed_at(
        self, request: HttpRequest, tasks: QuerySet[Task], time: datetime | None
    ) -> None:
        with transaction.atomic():
            changed = list(tasks.select_for_update(of=["self"]))
            for task in changed:
                task.change({"completed_at": time})
                self.log_change(request, task, [{"changed": {"fields": ["completed at"]}}])
        self.message_user(request, f"Changed tasks: {len(changed)}.")
