"""Tokens of users. The database has their SHA-256 digests, so that nobody can read a key in it."""

import hashlib
import secrets
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import QuerySet

from service.models import Token


def new_key() -> str:
    """A key of 160 random bits, as long as those of rest_framework.authtoken."""
    return secrets.token_hex(20)


def digest(key: str) -> str:
    # One round of a fast hash is enough for a random key, which nobody can guess.
    return hashlib.sha256(key.encode()).hexdigest()


def find(key: str) -> Token | None:
    """The token with this key, and its user."""
    return Token.objects.select_related("user").filter(digest=digest(key)).first()


def plain_tokens() -> Any:
    """The tokens that rest_framework.authtoken has stored with their keys.

    Earlier versions made them. They work, also in Pods of such a version during a rollout or after
    a rollback, until hash_plain_tokens() replaces them.
    """
    return apps.get_model("authtoken", "Token")._default_manager.all()


@transaction.atomic
def hash_plain_tokens() -> int:
    """Replace plain tokens by digests of the same keys; return how many there were."""
    plain = list(plain_tokens().select_for_update())
    for token in plain:
        Token.objects.create(
            digest=digest(token.key), user_id=token.user_id, created_at=token.created
        )
    plain_tokens().filter(pk__in=[token.pk for token in plain]).delete()
    remove_keys(LogEntry.objects.all())
    return len(plain)


def remove_keys(log_entries: QuerySet[LogEntry]) -> None:
    """Remove the keys that the admin's log has of plain tokens, deleted ones included."""
    of_tokens = log_entries.filter(content_type__app_label="authtoken")
    of_tokens.update(object_repr="token", object_id=None)
