"""A declaration that would fail with each request is refused at import."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.test.utils import isolate_apps

from rest.models import ParentField, PositionField, Resource
from rest.serializers import ResourceSerializer
from rest.urls import routes
from rest.viewsets import VersionedViewSet
from tasklists.api import TaskViewSet
from tasklists.models import TaskList

EVERY = ["id", "text", "version"]


def parent() -> Any:
    return ParentField(TaskList, related_name="+")


def declare(
    *,
    fields: dict[str, Any] | None = None,
    members: list[str] = EVERY,
    example: list[str] | None = None,
    meta: dict[str, Any] | None = None,
    base: type = Resource.Meta,
    within: str | None = None,
) -> type[VersionedViewSet]:
    """A resource with a text, and what a test adds to it."""
    body = {"__module__": "tests.books.models", "text": models.CharField(max_length=255)}
    with isolate_apps("tests.books"):
        options = {"Meta": type("Meta", (base,), {"app_label": "books", **(meta or {})})}
        note = type("Note", (Resource,), {**body, **(fields or {}), **options})
    of_serializer = {
        "model": note,
        "fields": members,
        "read_only_fields": ["id", "version"],
        "example": dict.fromkeys(example or members),
    }
    serializer = type(
        "NoteSerializer", (ResourceSerializer,), {"Meta": type("Meta", (), of_serializer)}
    )
    return type(
        "NoteViewSet", (VersionedViewSet,), {"serializer_class": serializer, "parent": within}
    )


def test_a_sound_declaration_is_accepted() -> None:
    fields = {"list": parent(), "order": PositionField(within="list")}
    viewset = declare(
        fields=fields,
        members=[*EVERY, "list", "order"],
        meta={"ordering": ["order", "id"]},
        within="list",
    )
    assert viewset.statements.ordering == ("order", "id")


def test_what_may_only_be_blank_in_a_form_is_required() -> None:
    fields = {"due": models.DateField(blank=True), "note": models.CharField(blank=True)}
    viewset = declare(fields=fields, members=[*EVERY, "due", "note"])
    members = viewset.serializer_class().fields
    assert {name: members[name].required for name in fields} == {"due": True, "note": False}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a Meta of its own": ({"base": object}, "Note.Meta has to inherit from Resource.Meta."),
    "no such parent": ({"within": "lst"}, "Note has no foreign key 'lst'"),
    "an example that lacks a member": (
        {"example": ["id", "text"]},
        "NoteSerializer.Meta.example has to be a row with all members.",
    ),
    "an ordering by a text": (
        {"meta": {"ordering": ["text", "id"]}},
        "Note.Meta.ordering has to name integers",
    ),
    "an ordering that does not end with the id": (
        {"meta": {"ordering": ["id", "version"]}},
        "and end with 'id'",
    ),
    "an ordering by what may be NULL": (
        {
            "fields": {"rank": models.IntegerField(null=True)},
            "members": [*EVERY, "rank"],
            "meta": {"ordering": ["rank", "id"]},
        },
        "none of them NULL",
    ),
    "an ordering by a field that is no member": (
        {
            "fields": {"rank": models.IntegerField(default=0)},
            "meta": {"ordering": ["rank", "id"]},
        },
        "Note.Meta.ordering has to name integers",
    ),
    "a required field that is no member": (
        {"fields": {"pages": models.IntegerField()}},
        "Note.pages has no default, and NoteSerializer does not take it.",
    ),
    "a position within nothing": (
        {"fields": {"order": PositionField(within="list")}},
        "Note.order is within a foreign key that Note does not have.",
    ),
    "a foreign key to a resource that does not cascade in the database": (
        {
            "fields": {
                "list": models.ForeignKey(TaskList, models.CASCADE, null=True, related_name="+")
            }
        },
        "Note.list refers to a resource, and has to be a ParentField.",
    ),
    "a property as a member": (
        {"fields": {"stars": property(lambda _: "***")}, "members": [*EVERY, "stars"]},
        "Note has no column 'stars'",
    ),
    "a type without SQL": (
        {"fields": {"weight": models.FloatField(default=0)}, "members": [*EVERY, "weight"]},
        "does not know how to write a FloatField",
    ),
    "more members than a function has arguments": (
        {
            "fields": {f"n{number}": models.IntegerField(default=0) for number in range(50)},
            "members": [*EVERY, *(f"n{number}" for number in range(50))],
        },
        "A resource has at most 49 members.",
    ),
}


@pytest.mark.parametrize(("declaration", "message"), REFUSED.values(), ids=REFUSED)
def test_a_declaration_is_refused(declaration: dict[str, Any], message: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        declare(**declaration)
    assert message in str(refusal.value)


@pytest.mark.parametrize("on_delete", [models.SET_NULL, models.PROTECT, models.DO_NOTHING])
def test_a_parent_field_always_cascades(on_delete: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="on_delete is CASCADE"):
        ParentField(TaskList, on_delete, null=True)


def test_the_path_of_a_collection_has_the_id_of_its_parent() -> None:
    with pytest.raises(ImproperlyConfigured, match="needs <int:list_id>"):
        routes(TaskViewSet, "lists/<int:list>/tasks", "tasks")
