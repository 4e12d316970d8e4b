from django.apps import AppConfig


class TasklistsConfig(AppConfig):
    name = "tasklists"
    verbose_name = "Task lists"
