from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from ninja import Field, ModelSchema, NinjaAPI, PatchDict, Schema
from ninja.pagination import paginate

from lists.models import Task, TaskList

api = NinjaAPI()


class TaskListIn(Schema):
    name: str = Field(min_length=1, max_length=255)


class TaskListOut(ModelSchema):
    class Meta:
        model = TaskList
        fields = ["id", "name", "created_at", "updated_at", "version"]


@api.get("/lists", response=list[TaskListOut])
@paginate
def index(request: HttpRequest) -> QuerySet[TaskList]:
    return TaskList.objects.all()


@api.post("/lists", response={201: TaskListOut})
def create(request: HttpRequest, body: TaskListIn) -> tuple[int, TaskList]:
    return 201, TaskList.objects.create(**body.dict())


@api.get("/lists/{list_id}", response=TaskListOut)
def read(request: HttpRequest, list_id: int) -> TaskList:
    return get_object_or_404(TaskList, id=list_id)


@api.put("/lists/{list_id}", response=TaskListOut)
def update(request: HttpRequest, list_id: int, body: TaskListIn) -> TaskList:
    task_list = get_object_or_404(TaskList, id=list_id)
    task_list.name = body.name
    task_list.save()
    return task_list


class TaskIn(Schema):
    title: str = Field(min_length=1, max_length=255)
    completed: bool = False
    due: date | None = None
    order: int | None = None


class TaskOut(ModelSchema):
    url: str
    completed: bool

    class Meta:
        model = Task
        fields = [
            *("id", "list", "title", "completed_at", "due", "order"),
            *("created_at", "updated_at", "version"),
        ]

    @staticmethod
    def resolve_url(task: Task, context: Any) -> str:
        path = reverse("api-1.0.0:read_task", args=[task.id])
        return context["request"].build_absolute_uri(path)


@api.get("/lists/{list_id}/tasks", response=list[TaskOut])
@paginate
def tasks(request: HttpRequest, list_id: int) -> QuerySet[Task]:
    return get_object_or_404(TaskList, id=list_id).tasks.all()


@api.post("/lists/{list_id}/tasks", response={201: TaskOut})
def create_task(request: HttpRequest, list_id: int, body: TaskIn) -> tuple[int, Task]:
    task_list = get_object_or_404(TaskList, id=list_id)
    return 201, Task.objects.create(list=task_list, **body.dict())


@api.get("/tasks/{task_id}", response=TaskOut)
def read_task(request: HttpRequest, task_id: int) -> Task:
    return get_object_or_404(Task, id=task_id)


@api.patch("/tasks/{task_id}", response=TaskOut)
def update_task(request: HttpRequest, task_id: int, body: PatchDict[TaskIn]) -> Task:
    task = get_object_or_404(Task, id=task_id)
    for name, value in body.items():
        setattr(task, name, value)
    task.save()
    return task


urlpatterns = [path("", api.urls)]
