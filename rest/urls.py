"""The paths of a resource."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, path

from rest.viewsets import VersionedViewSet


def routes(viewset: type[VersionedViewSet], collection: str, rows: str) -> list[URLPattern]:
    """The paths of a collection and of its rows, with and without a slash at the end.

    They are named as DRF's routers would name them, after the model: task-list, task-detail.
    Raises ImproperlyConfigured if ``collection`` does not have the id of the viewset's parent.
    """
    if viewset.parent and f"<int:{viewset.parent}_id>" not in collection:
        raise ImproperlyConfigured(f"{collection!r} needs <int:{viewset.parent}_id>.")
    meta = viewset.statements.meta
    plural, singular = str(meta.verbose_name_plural), str(meta.verbose_name)
    many: Any = viewset.as_view(viewset.collection_actions, name=plural.capitalize())
    one: Any = viewset.as_view(viewset.row_actions, name=singular.capitalize())
    return [
        path(collection, many, name=f"{meta.model_name}-list"),
        path(f"{collection}/", many),
        path(f"{rows}/<int:pk>", one, name=f"{meta.model_name}-detail"),
        path(f"{rows}/<int:pk>/", one),
    ]
