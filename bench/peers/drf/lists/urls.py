from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import include, path
from rest_framework import routers, serializers, viewsets

from lists.models import Task, TaskList


class TaskListSerializer(serializers.ModelSerializer):
    class Meta:
        model = TaskList
        fields = ["id", "name", "created_at", "updated_at", "version"]


class TaskListViewSet(viewsets.ModelViewSet):
    queryset = TaskList.objects.all()
    serializer_class = TaskListSerializer


class TaskSerializer(serializers.ModelSerializer):
    completed = serializers.BooleanField(default=False)

    class Meta:
        model = Task
        fields = [
            *("id", "url", "list", "title", "completed", "completed_at", "due", "order"),
            *("created_at", "updated_at", "version"),
        ]
        extra_kwargs = {"list": {"required": False}}


class TaskViewSet(viewsets.ModelViewSet):
    queryset = Task.objects.all()
    serializer_class = TaskSerializer


class TasksOfAListViewSet(viewsets.ModelViewSet):
    serializer_class = TaskSerializer

    @property
    def task_list(self) -> TaskList:
        return get_object_or_404(TaskList, pk=self.kwargs["list_id"])

    def get_queryset(self) -> QuerySet[Task]:
        return self.task_list.tasks.all()

    def perform_create(self, serializer: TaskSerializer) -> None:
        serializer.save(list=self.task_list)


router = routers.DefaultRouter(trailing_slash=False)
router.register("lists", TaskListViewSet)
router.register("tasks", TaskViewSet)

urlpatterns = [
    path("", include(router.urls)),
    path(
        "lists/<int:list_id>/tasks",
        TasksOfAListViewSet.as_view({"get": "list", "post": "create"}),
    ),
]
