from django.conf import settings
from django.db import models
from django.utils import timezone


class Token(models.Model):
    """A token of a user, whose key only its holder knows; tokens.py makes and finds them."""

    digest = models.CharField(max_length=64, unique=True, editable=False)  # of the key
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(max_length=100, blank=True, help_text="What the token is for.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.name or 'token'} of {self.user}"


class LoginFailure(models.Model):
    """A login that failed, or whose password is being checked; logins.py deletes old ones."""

    name = models.CharField(max_length=150)  # as typed: there may be no such user
    network = models.CharField(max_length=45)
    time = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["network", "time"], name="service_failure_network"),
            models.Index(fields=["time"], name="service_failure_time"),
        ]

    def __str__(self) -> str:
        return f"{self.name} from {self.network}"
