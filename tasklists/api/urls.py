from django.urls import path

from tasklists.api.viewsets import TaskListViewSet

collection = TaskListViewSet.as_view({"get": "list", "post": "create"}, name="Task lists")
member = TaskListViewSet.as_view(
    {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"},
    name="Task list",
)

urlpatterns = [
    path("", collection),
    path("lists", collection, name="lists"),
    path("lists/", collection),
    path("lists/<int:pk>", member, name="list"),
    path("lists/<int:pk>/", member),
]
