"""GET and POST /lists: the collection."""

from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def post(client: Client, body: Any, path: str = "/lists", **headers: str) -> Any:
    return client.post(path, body, content_type="application/json", headers=headers)


def test_no_lists_are_an_empty_array(client: Client) -> None:
    assert client.get("/lists").content == b"[]"


@pytest.mark.parametrize("path", ["/", "/lists", "/lists/"])
def test_every_spelling_lists_and_creates_without_a_redirect(client: Client, path: str) -> None:
    created = post(client, {"name": "shopping"}, path)
    assert created.status_code == 201
    assert client.get(path).json() == [created.json()]
