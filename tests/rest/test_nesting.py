"""JSON that is nested deeply is a 400 or ignored, wherever in a body it is."""

from typing import Any

import orjson
import pytest
from django.urls import resolve
from rest_framework import serializers

from rest.serializers import ResourceSerializer
from tests.books.models import Book
from tests.conftest import BROWSER
from tests.rest.conftest import Sample, Send, tasks

pytestmark = pytest.mark.django_db

# orjson reads 1,024 levels, and str() writes fewer on Python 3.11.
DEEP = {
    "arrays": "[" * 1020 + "]" * 1020,
    "objects": '{"a":' * 1020 + "1" + "}" * 1020,
    "both": '[{"a":' * 510 + "1" + "}]" * 510,
    "wide": "[" * 500 + ",".join(["[" * 500 + "]" * 500] * 50) + "]" * 500,
}


def with_member(body: dict[str, Any], name: str, value: str) -> bytes:
    members = [f'"{each}": {orjson.dumps(body[each]).decode()}' for each in body if each != name]
    return f"{{{', '.join([*members, f'{orjson.dumps(name).decode()}: {value}'])}}}".encode()


@pytest.mark.parametrize("method", ["post", "put", "patch"])
@pytest.mark.parametrize(
    ("shape", "accept"), [*((shape, "application/json") for shape in DEEP), ("both", BROWSER)]
)
def test_it_is_refused_or_ignored_in_every_member(
    send: Send, resource: Sample, path: str, shape: str, method: str, accept: str
) -> None:
    view: Any = resolve(path).func
    fields = view.cls.serializer_class().fields
    target, status = (resource.collection, 201) if method == "post" else (path, 200)
    for name in [*fields, "unknown"]:
        data = with_member(resource.body, name, DEEP[shape])
        response = send(method, target, data, Accept=accept, Idempotency_Key=name)
        if name in fields and fields[name].read_only:
            assert response.status_code == status, name
        else:
            assert response.status_code == 400, name
            assert f"{name}:" in response.content.decode()
        assert len(response.content) < 30_000


@pytest.mark.parametrize("shape", DEEP)
@pytest.mark.parametrize("name", ["completed", "title", "list", "id", "unknown"])
def test_it_is_refused_in_a_change_of_a_collection(send: Send, name: str, shape: str) -> None:
    resource = tasks()
    resource.make()
    response = send("patch", resource.collection, with_member({}, name, DEEP[shape]))
    assert response.status_code == (204 if name == "id" else 400)
    assert resource.the_row().version == 1


@pytest.mark.parametrize("accept", ["application/json", BROWSER], ids=["json", "browser"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("body", [*DEEP.values(), "[" * 60_000], ids=[*DEEP, "endless"])
def test_it_is_refused_as_a_body(
    send: Send, resource: Sample, path: str, body: str, method: str, accept: str
) -> None:
    target = resource.collection if method == "post" else path
    response = send(method, target, body.encode(), Accept=accept)
    assert response.status_code in ((200, 204) if method == "delete" else (400,))


FIELDS = [
    serializers.BooleanField(),
    serializers.CharField(),
    serializers.CharField(trim_whitespace=False),
    serializers.ChoiceField(["a"]),
    serializers.DateField(),
    serializers.DateTimeField(),
    serializers.DecimalField(5, 2),
    serializers.DurationField(),
    serializers.EmailField(),
    serializers.FloatField(),
    serializers.IPAddressField(),
    serializers.IntegerField(),
    serializers.RegexField("a"),
    serializers.SlugField(),
    serializers.TimeField(),
    serializers.URLField(),
    serializers.UUIDField(),
]


@pytest.mark.parametrize("shape", DEEP)
@pytest.mark.parametrize("field", FIELDS, ids=lambda field: type(field).__name__)
def test_it_is_refused_by_the_fields_that_a_resource_may_declare(
    field: serializers.Field[Any, Any, Any, Any], shape: str
) -> None:
    options = type("Meta", (), {"model": Book, "fields": ["member"]})
    declared: Any = type("Declared", (ResourceSerializer,), {"member": field, "Meta": options})
    with pytest.raises(serializers.ValidationError) as refusal:
        declared().run_validation({"member": orjson.loads(DEEP[shape])})
    assert refusal.value.detail.keys() == {"member"}  # type: ignore[union-attr]
    assert len(str(refusal.value.detail)) < 300
