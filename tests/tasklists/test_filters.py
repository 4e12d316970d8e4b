"""Filters of ``/lists``."""

import pytest
from django.test import Client

from tasklists.models import TaskList

pytestmark = pytest.mark.django_db

NAMES = ["shopping", "Shopping", "shopping for 100 %", "a_b", "axb", "Übung"]


@pytest.fixture(autouse=True)
def lists(db: None) -> None:
    for name in NAMES:
        TaskList.objects.create(name=name)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"name": "shopping"}, ["shopping"]),
        ({"name": " shopping "}, []),
        ({"name": " "}, []),
        ({"name": "Übung"}, ["Übung"]),
        ({"name": "nothing"}, []),
        ({"name": ""}, NAMES),
        ({"name__icontains": "SHOP"}, NAMES[:3]),
        ({"name__icontains": " "}, ["shopping for 100 %"]),
        ({"name__icontains": " shop"}, []),
        ({"name__icontains": "0 %"}, ["shopping for 100 %"]),
        ({"name__icontains": "%"}, ["shopping for 100 %"]),
        ({"name__icontains": "_"}, ["a_b"]),
        ({"name__icontains": "'"}, []),
        ({"name": "Shopping", "name__icontains": "shop"}, ["Shopping"]),
    ],
)
def test_filters(client: Client, query: dict[str, str], names: list[str]) -> None:
    assert [each["name"] for each in client.get("/lists", query).json()] == names


@pytest.mark.parametrize("unknown", ["nam", "NAME", "id", "format", "page", "name__contains", "ü"])
def test_an_unknown_parameter_is_refused_with_those_that_are_known(
    client: Client, unknown: str
) -> None:
    response = client.get("/lists", {unknown: "x", "limit": "1"})
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert error["parameter"] == unknown
    assert error["detail"].endswith("known are name, name__icontains, limit, after.")


@pytest.mark.parametrize("name", ["name", "name__icontains"])
@pytest.mark.parametrize("value", ["\0", "a\0b", "x" * 256, "%" * 60_000])
def test_a_filter_that_no_name_can_match_is_refused(client: Client, name: str, value: str) -> None:
    response = client.get("/lists", {name: value})
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == name
