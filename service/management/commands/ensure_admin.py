from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Creates the administrator ADMIN_USERNAME with the password ADMIN_PASSWORD. An existing "
        "user of that name is left unchanged."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ADMIN_PASSWORD:
            raise CommandError("ADMIN_PASSWORD is not set: set it, or ADMIN_PASSWORD_FILE")
        user = User(username=settings.ADMIN_USERNAME, email=settings.ADMIN_EMAIL)
        created = False
        if not User.objects.filter(username=user.username).exists():
            refuse_weak(settings.ADMIN_PASSWORD, user)
            _, created = User.objects.get_or_create(
                username=user.username,
                defaults={
                    "email": user.email,
                    "password": make_password(settings.ADMIN_PASSWORD),
                    "is_staff": True,
                    "is_superuser": True,
                },
            )
        outcome = "created" if created else "already exists, left unchanged"
        self.stdout.write(f"{user.username}: {outcome}")


def refuse_weak(password: str, user: User) -> None:
    """Raise CommandError with what AUTH_PASSWORD_VALIDATORS say, which quotes no password."""
    try:
        validate_password(password, user)
    except ValidationError as weak:
        reasons = " ".join(weak.messages)
        raise CommandError(f"ADMIN_PASSWORD=(a secret, not shown) is too weak. {reasons}") from None
