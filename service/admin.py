"""The admin of tokens."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from service.models import Token
from service.tokens import digest, new_key


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows the key of a new token once; nobody can read it afterwards."""

    list_display = ["name_or_user", "user", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
    fields = ["user", "name", "created_at"]
    raw_id_fields = ["user"]
    readonly_fields = ["created_at"]

    @admin.display(description="token", ordering="name")
    def name_or_user(self, token: Token) -> str:
        return str(token)

    def get_readonly_fields(self, request: HttpRequest, obj: Token | None = None) -> list[str]:
        """Do not give a token to another user, because the key stays the same."""
        return ["user", *self.readonly_fields] if obj else [*self.readonly_fields]

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        if not change:
            key = new_key()
            obj.digest = digest(key)
            text = f"The key of this token is {key}. Copy it now, since it is not shown again."
            messages.warning(request, text)
        super().save_model(request, obj, form, change)
