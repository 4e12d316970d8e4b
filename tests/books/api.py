from django_filters.rest_framework import FilterSet

from rest.filters import BooleanFilter
from rest.serializers import ResourceSerializer
from rest.viewsets import VersionedViewSet
from tests.books.models import Book


class BookSerializer(ResourceSerializer):
    class Meta:
        model = Book
        fields = [
            *("id", "title", "pages", "lent", "signed", "rating", "summary", "published"),
            *("read_at", "label", "genre", "isbn", "shelf", "lost_at"),
            *("created_at", "updated_at", "version"),
        ]
        read_only_fields = ["id", "lost_at", "created_at", "updated_at", "version"]
        example = {
            "id": 3,
            "title": "Persuasion",
            "pages": 249,
            "lent": False,
            "signed": None,
            "rating": 5,
            "summary": "",
            "published": "1817-12-20",
            "read_at": "2026-11-26T08:15:30.123456Z",
            "label": "b1946ac92492d2347c6235b4d2611184",
            "genre": "n",
            "isbn": "9780141439686",
            "shelf": 1,
            "lost_at": None,
            "created_at": "2026-11-26T08:15:30.123456Z",
            "updated_at": "2026-11-26T08:15:30.123456Z",
            "version": 1,
        }


class BookFilter(FilterSet):  # type: ignore[misc]
    lent = BooleanFilter()


class BookViewSet(VersionedViewSet):
    """Books."""

    serializer_class = BookSerializer
    filterset_class = BookFilter
