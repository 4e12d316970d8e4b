import uuid

from django.db import models

from rest.models import FirstTimeField, Resource


def new_label() -> str:
    return uuid.uuid4().hex


class Book(Resource):
    """What somebody who copies the project might store: members of many types."""

    title = models.CharField(max_length=255)
    pages = models.PositiveIntegerField()
    lent = models.BooleanField(default=False)
    signed = models.BooleanField(null=True, blank=True)
    rating = models.IntegerField(null=True, blank=True)
    summary = models.TextField(default="", blank=True)
    published = models.DateField(null=True, blank=True)
    read_at = FirstTimeField(null=True, blank=True)
    label = models.CharField(max_length=32, default=new_label)
    genre = models.CharField(max_length=1, choices=[("n", "novel"), ("p", "poems")], default="n")
    isbn = models.CharField(max_length=13, unique=True, null=True, blank=True)
    shelf = models.IntegerField(db_default=1)
    lost_at = FirstTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.title
