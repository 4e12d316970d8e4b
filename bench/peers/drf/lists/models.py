from typing import Any

from django.db import models
from django.utils import timezone


class TaskList(models.Model):
    name = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveBigIntegerField(default=1, editable=False)

    class Meta:
        db_table = "task_list"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class Task(models.Model):
    list = models.ForeignKey(TaskList, models.CASCADE, related_name="tasks", db_index=False)
    title = models.CharField(max_length=255)
    completed_at = models.DateTimeField(null=True, editable=False)
    due = models.DateField(null=True, blank=True)
    order = models.BigIntegerField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveBigIntegerField(default=1, editable=False)

    class Meta:
        db_table = "task"
        ordering = ["order", "id"]
        indexes = [models.Index(fields=["list", "order", "id"], name="tasks_of_a_list")]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.order is None:
            tasks = Task.objects.filter(list=self.list_id)
            last = tasks.aggregate(last=models.Max("order"))["last"]
            self.order = (last or 0) + 1
        super().save(*args, **kwargs)

    @property
    def completed(self) -> bool:
        return self.completed_at is not None

    @completed.setter
    def completed(self, value: bool) -> None:
        if value != self.completed:
            self.completed_at = timezone.now() if value else None
