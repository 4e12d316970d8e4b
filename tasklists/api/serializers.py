from copy import deepcopy
from typing import Any

from rest_framework import serializers

from tasklists.models import TaskList


class StrictCharField(serializers.CharField):
    """Text that was sent as text: DRF would take 1 for "1"."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class TaskListSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    name = StrictCharField(
        max_length=255, help_text="1 to 255 characters, without white space around them."
    )

    class Meta:
        model = TaskList
        fields = ["id", "name", "created_at", "updated_at", "version"]
        read_only_fields = ["id", "created_at", "updated_at", "version"]
        validators: list[object] = []

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Of a request only what it may have: to make the others takes longer than the check."""
        if hasattr(self, "initial_data"):
            return deepcopy(self._declared_fields)
        return super().get_fields()
