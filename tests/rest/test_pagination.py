"""Pages: limit, after and the Link header, for each resource."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.rest.conftest import Sample, Send

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids(resource: Sample) -> list[int]:
    return resource.make_many(250)


def following(response: Any) -> str | None:
    """The target of the Link header whose relation is next."""
    if not response.has_header("Link"):
        return None
    match = re.fullmatch(r'<([^>]+)>; rel="next"', response["Link"])
    assert match, response["Link"]
    return match[1]


def walk(client: Client, path: str | None) -> list[list[int]]:
    """The ids of each page from ``path`` to the last."""
    pages = []
    while path:
        response = client.get(path)
        assert response.status_code == 200
        pages.append([each["id"] for each in response.json()])
        path = following(response)
    return pages


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("limit", "count"), [(None, 3), (249, 2), (250, 1), (1000, 1)])
def test_the_links_lead_through_every_row_once(
    client: Client, resource: Sample, ids: list[int], slash: str, limit: int | None, count: int
) -> None:
    start = f"{resource.collection}{slash}"
    pages = walk(client, start if limit is None else f"{start}?limit={limit}")
    assert len(pages) == count
    assert [each for page in pages for each in page] == ids


def test_a_link_has_the_path_that_was_asked_for(
    client: Client, resource: Sample, ids: list[int]
) -> None:
    for slash in ("", "/"):
        path = following(client.get(f"{resource.collection}{slash}"))
        assert path is not None
        assert path.partition("?")[0] == f"{resource.collection}{slash}"


def test_a_page_has_a_hundred_rows_unless_asked(
    client: Client, resource: Sample, ids: list[int]
) -> None:
    assert len(client.get(resource.collection).json()) == 100


@pytest.mark.parametrize("gone", [slice(9, 10), slice(5, 15), slice(10)])
def test_pages_are_stable_when_rows_vanish(
    client: Client, resource: Sample, ids: list[int], gone: slice
) -> None:
    """Also the row on which the previous page ended."""
    path = following(client.get(f"{resource.collection}?limit=10"))
    resource.model._default_manager.filter(pk__in=ids[gone]).delete()
    pages = walk(client, path)
    expected = [each for each in ids[10:] if each not in ids[gone]]
    assert [each for page in pages for each in page] == expected


def test_pages_are_stable_when_rows_are_added(
    client: Client, send: Send, resource: Sample, ids: list[int]
) -> None:
    path = following(client.get(f"{resource.collection}?limit=100"))
    created = send("post", resource.collection, resource.body).json()["id"]
    pages = walk(client, path)
    assert [each for page in pages for each in page] == [*ids[100:], created]


def test_the_link_keeps_a_filter(client: Client, resource: Sample, ids: list[int]) -> None:
    if not resource.filter:
        pytest.skip("it has no filters")
    pages = walk(client, f"{resource.collection}?{resource.filter}&limit=30")
    assert [each for page in pages for each in page] == ids
    link = following(client.get(f"{resource.collection}?{resource.filter}"))
    assert link
    assert f"?{resource.filter}&" in link


@pytest.mark.parametrize(
    "value", ["0", "-1", "1001", "x", "", "1.0", "+1", " 1", "٣", "9" * 5000, "\0"]
)
def test_a_limit_out_of_range_is_refused(client: Client, resource: Sample, value: str) -> None:
    response = client.get(resource.collection, {"limit": value})
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert error["parameter"] == "limit"
    assert "from 1 to 1000" in error["detail"]


@pytest.mark.parametrize(
    "value",
    ["-1", str(2**63), "x", "", "1e3", "9" * 5000, ",", "1,", ",1", "1,1,1", "1,-1", "1;1", "1, 1"],
    ids=lambda value: value[:20],
)
def test_an_after_that_no_link_has_is_refused(client: Client, resource: Sample, value: str) -> None:
    response = client.get(resource.collection, {"after": value})
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "after"


def test_the_cost_of_a_page_does_not_grow(
    client: Client, resource: Sample, ids: list[int], django_assert_num_queries: Any
) -> None:
    last = client.get(f"{resource.collection}?limit=249")["Link"].partition("after=")[2]
    with django_assert_num_queries(1) as queries:
        page = client.get(f"{resource.collection}?after={last.partition('>')[0]}")
    assert [each["id"] for each in page.json()] == ids[249:]
    assert "COUNT" not in queries[0]["sql"]
    assert "OFFSET" not in queries[0]["sql"]
