from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import path
from ninja import Field, ModelSchema, NinjaAPI, Schema
from ninja.pagination import paginate

from lists.models import TaskList

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


urlpatterns = [path("", api.urls)]
