from django.db import models


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
