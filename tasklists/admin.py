from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from rest.admin import ResourceAdmin
from tasklists.api import TaskViewSet
from tasklists.models import Task, TaskList

admin.site.site_header = admin.site.site_title = "Tasklists"


class TaskInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Task
    fields = ["title", "due", "order", "completed"]
    readonly_fields = ["completed"]
    extra = 1


@admin.register(TaskList)
class TaskListAdmin(ResourceAdmin):
    list_display = ["name", "id", "version", "created_at", "updated_at"]
    search_fields = ["name"]
    inlines = [TaskInline]


@admin.register(Task)
class TaskAdmin(ResourceAdmin):
    list_display = ["title", "list", "completed", "due", "order", "version", "updated_at"]
    list_filter = ["completed", "due", *ResourceAdmin.list_filter]
    list_select_related = ["list"]
    search_fields = ["title"]
    raw_id_fields = ["list"]
    readonly_fields = ["completed", *ResourceAdmin.readonly_fields]
    actions = ["complete", "reopen"]

    @admin.action(description="Complete the selected tasks")
    def complete(self, request: HttpRequest, tasks: QuerySet[Task]) -> None:
        TaskViewSet.statements.change_all(tasks, {"completed_at": timezone.now()}, {})

    @admin.action(description="Reopen the selected tasks")
    def reopen(self, request: HttpRequest, tasks: QuerySet[Task]) -> None:
        TaskViewSet.statements.change_all(tasks, {"completed_at": None}, {})
