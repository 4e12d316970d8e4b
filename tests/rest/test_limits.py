"""What a request contains is bounded by number as well as by bytes, for each resource."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from rest.entity_tags import MAX_TAGS
from rest.exceptions import MAX_NAME, MAX_UNKNOWN
from rest.negotiation import ContentNegotiation
from rest.parsers import MAX_BODY_MEMBERS
from service.middleware import RefuseMalformedRequests
from tests.process import ROOT
from tests.rest.conftest import Sample, Send, tasks

pytestmark = pytest.mark.django_db

PROBLEM = "application/problem+json"


def with_members(resource: Sample, count: int) -> dict[str, Any]:
    """A valid body with unknown members added, ``count`` in all."""
    return resource.body | {f"m{n}": n for n in range(count - len(resource.body))}


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_a_body_of_too_many_members_is_refused_and_the_answer_is_short(
    send: Send, resource: Sample, path: str, method: str
) -> None:
    target = resource.collection if method == "post" else path
    for count in (MAX_BODY_MEMBERS + 1, 4000):
        response = send(method, target, with_members(resource, count))
        assert response.status_code == 400
        assert response["Content-Type"] == PROBLEM
        detail = f"The body has {count} members; at most {MAX_BODY_MEMBERS} are accepted."
        assert response.json()["detail"] == detail
        assert response.json()["errors"] == [{"pointer": "", "detail": detail}]
    assert resource.the_row().version == 1


def test_the_unknown_among_as_many_members_as_there_may_be_are_pointed_at(
    send: Send, resource: Sample
) -> None:
    response = send("post", resource.collection, with_members(resource, MAX_BODY_MEMBERS))
    assert response.status_code == 400
    pointers = [error["pointer"] for error in response.json()["errors"]]
    assert pointers == [f"/m{n}" for n in range(MAX_UNKNOWN)]
    assert resource.count() == 0


def test_a_change_of_a_collection_is_bounded_as_well(send: Send) -> None:
    resource = tasks()
    response = send("patch", resource.collection, {f"m{n}": n for n in range(200)})
    assert response.status_code == 400
    assert "200 members" in response.json()["detail"]


@pytest.mark.parametrize("opening", ["[{}", '{"a":{}', '["a"'])
def test_a_body_that_is_no_object_gets_a_short_answer_whatever_its_size(
    send: Send, resource: Sample, opening: str
) -> None:
    for body in (f"[{opening}" + ",0" * 30_000, "[" + "{}," * 20_000):
        response = send("post", resource.collection, body.encode())
        assert response.status_code == 400
        assert len(response.content) < 1000


def test_many_values_in_a_member_get_a_short_answer(send: Send, resource: Sample) -> None:
    body = resource.with_text([{} for _ in range(10_000)])
    response = send("post", resource.collection, body)
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [f"/{resource.text}"]
    assert len(response.content) < 1000


def test_an_answer_about_many_unknown_parameters_is_short(client: Client, resource: Sample) -> None:
    query = {f"{n:03}{'x' * n}": 1 for n in range(900)}
    response = client.get(resource.collection, query)
    assert response.status_code == 400
    named = [error["parameter"] for error in response.json()["errors"]]
    assert named == list(query)[:MAX_UNKNOWN]
    long = client.get(resource.collection, {"x" * 5000: 1}).json()
    assert [error["parameter"] for error in long["errors"]] == ["x" * MAX_NAME]


def test_the_documentation_names_the_limits() -> None:
    text = (ROOT / "docs/api.md").read_text()
    table = text.split("## Limits")[1].split("## ")[0]
    rows = dict(re.findall(r"(?m)^\| (.+?) \| (.+?) \|", table))
    assert rows["a body"] == f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes"
    assert rows["its members, known or not"] == str(MAX_BODY_MEMBERS)
    assert rows["entity tags in `If-Match` or `If-None-Match`"] == str(MAX_TAGS)
    considered = ContentNegotiation.max_accept_tokens  # type: ignore[attr-defined]
    assert rows["media types in `Accept`"] == f"the first {considered}"
    assert rows["`Cookie`"] == f"{RefuseMalformedRequests.max_cookies:,} characters"
    [unknown] = [limit for what, limit in rows.items() if what.startswith("unknown members")]
    assert unknown == f"{MAX_UNKNOWN}, and {MAX_NAME} characters"
    assert f"larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes" in text
