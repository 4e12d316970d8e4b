"""What the service keeps."""

from typing import Any

from django.db import models


class TaskList(models.Model):
    """A named list; ``version`` grows by one with each change and is its entity tag."""

    name = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveBigIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    def change(self, values: dict[str, Any]) -> None:
        """Write the given fields, and no others, as the next version.

        The caller holds the row's lock. Without fields nothing is written.
        """
        if not values:
            return
        for field, value in values.items():
            setattr(self, field, value)
        self.version += 1
        self.save(update_fields=[*values, "version", "updated_at"])
