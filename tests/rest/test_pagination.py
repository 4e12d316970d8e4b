"""Pages of ``/lists``: limit, after and the Link header."""

import re
from typing import Any

import pytest
from django.test import Client

from tasklists.models import TaskList

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids(db: None) -> list[int]:
    TaskList.objects.bulk_create(TaskList(name=f"list {n}") for n in range(250))
    return list(TaskList.objects.order_by("id").values_list("id", flat=True))


def following(response: Any) -> str | None:
    """The target of the Link header whose relation is next."""
    if not response.has_header("Link"):
        return None
    match = re.fullmatch(r'<([^>]+)>; rel="next"', response["Link"])
    assert match, response["Link"]
    return match[1]


@pytest.mark.parametrize("start", ["/lists", "/lists/", "/"])
@pytest.mark.parametrize(("limit", "pages"), [(None, 3), (249, 2), (250, 1), (1000, 1)])
def test_the_links_lead_through_every_list_once(
    client: Client, ids: list[int], start: str, limit: int | None, pages: int
) -> None:
    seen: list[int] = []
    path: str | None = start if limit is None else f"{start}?limit={limit}"
    for _ in range(pages):
        assert path is not None
        assert path.split("?")[0] == start
        response = client.get(path)
        seen += [each["id"] for each in response.json()]
        path = following(response)
    assert path is None
    assert seen == ids


def test_a_page_has_a_hundred_lists_unless_asked(client: Client, ids: list[int]) -> None:
    assert len(client.get("/lists").json()) == 100


def test_a_page_begins_after_a_list_even_if_it_is_gone(client: Client, ids: list[int]) -> None:
    TaskList.objects.filter(id=ids[9]).delete()
    assert client.get(f"/lists?after={ids[9]}&limit=1").json()[0]["id"] == ids[10]


def test_beyond_the_last_list_is_an_empty_page(client: Client, ids: list[int]) -> None:
    response = client.get(f"/lists?after={2**63 - 1}")
    assert response.json() == []
    assert following(response) is None


def test_the_link_keeps_the_filter(client: Client, ids: list[int]) -> None:
    response = client.get("/lists?name__icontains=LIST%201&limit=100")
    path = following(response)
    assert path is not None
    assert [each["name"] for each in client.get(path).json()] == [
        f"list {n}" for n in range(189, 200)
    ]


@pytest.mark.parametrize(
    "value", ["0", "-1", "1001", "x", "", "1.0", "+1", " 1", "٣", "9" * 5000, "\0"]
)
def test_a_limit_out_of_range_is_refused(client: Client, value: str) -> None:
    response = client.get("/lists", {"limit": value})
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert error["parameter"] == "limit"
    assert "from 1 to 1000" in error["detail"]


@pytest.mark.parametrize("value", ["-1", str(2**63), "x", "", "1e3", "9" * 5000])
def test_an_after_out_of_range_is_refused(client: Client, value: str) -> None:
    response = client.get("/lists", {"after": value})
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "after"


def test_the_cost_of_a_page_does_not_grow(
    client: Client, ids: list[int], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1) as queries:
        client.get(f"/lists?after={ids[-2]}")
    assert "COUNT" not in queries[0]["sql"]
    assert "OFFSET" not in queries[0]["sql"]
