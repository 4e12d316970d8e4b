from django.urls import include, path
from rest_framework import routers, serializers, viewsets

from lists.models import TaskList


class TaskListSerializer(serializers.ModelSerializer):
    class Meta:
        model = TaskList
        fields = ["id", "name", "created_at", "updated_at", "version"]


class TaskListViewSet(viewsets.ModelViewSet):
    queryset = TaskList.objects.all()
    serializer_class = TaskListSerializer


router = routers.DefaultRouter(trailing_slash=False)
router.register("lists", TaskListViewSet)

urlpatterns = [path("", include(router.urls))]
