"""The paths of the API, and of the page."""

from django.urls import path

from rest.urls import routes
from tasklists.api import TaskListViewSet, TaskViewSet
from tasklists.web.instance import InstanceView
from tasklists.web.views import front

urlpatterns = [
    path("", front, name="front"),
    *routes(TaskListViewSet, "lists", "lists"),
    *routes(TaskViewSet, "lists/<int:list_id>/tasks", "tasks"),
    path("instance", InstanceView.as_view(), name="instance"),
]
