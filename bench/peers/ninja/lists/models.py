from django.db import models


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
