"""The paths of the API."""

from django.urls import path

from rest.urls import routes
from tasklists.api import TaskListViewSet, TaskViewSet

urlpatterns = [
    path("", TaskListViewSet.as_view(TaskListViewSet.collection_actions, name="Task lists")),
    *routes(TaskListViewSet, "lists", "lists"),
    *routes(TaskViewSet, "lists/<int:list_id>/tasks", "tasks"),
]
