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
        user, created = User.objects.get_or_create(
            username=settings.ADMIN_USERNAME,
            defaults={
                "email": settings.ADMIN_EMAIL,
                "password": make_password(settings.ADMIN_PASSWORD),
                "is_staff": True,
                "is_superuser": True,
            },
        )
        if created:
            self.warn_if_weak(settings.ADMIN_PASSWORD, user)
        outcome = "created" if created else "already exists, left unchanged"
        self.stdout.write(f"{user.username}: {outcome}")

    def warn_if_weak(self, password: str, user: User) -> None:
        """Write what AUTH_PASSWORD_VALIDATORS object to, which never quotes the password."""
        try:
            validate_password(password, user)
        except ValidationError as weak:
            reasons = " ".join(weak.messages)
            self.stderr.write(f"{user.username}: the password is weak. {reasons}")
