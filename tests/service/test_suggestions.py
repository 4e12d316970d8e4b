"""The 404 of an unknown path names the known path that was probably meant."""

import pytest
from django.test import Client

from service.suggestions import MAX_LENGTH, suggestion
from tests.conftest import BROWSER

pytestmark = pytest.mark.once(on="sqlite")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/list", "/lists"),
        ("/list/", "/lists"),
        ("/Lists", "/lists"),
        ("/list/1", "/lists/1"),
        ("/list/1/tasks", "/lists/1/tasks"),
        ("/lists/1/task", "/lists/1/tasks"),
        ("/task/3", "/tasks/3"),
        ("/task", "/lists/{id}/tasks"),
        ("/tasks", "/lists/{id}/tasks"),
        ("/health", "/health/live"),
        ("/doc", "/docs"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_a_similar_path_is_named(client: Client, path: str, meant: str, method: str) -> None:
    response = client.generic(method, path)
    assert response.status_code == 404
    if method != "HEAD":
        assert response.json()["detail"] == f"There is no {path}; did you mean {meant}?"


@pytest.mark.parametrize("path", ["/nothing", "/lists/x", "/list/x", "/lists/1/2", "/lists//1"])
def test_a_path_that_is_near_none_gets_no_guess(client: Client, path: str) -> None:
    response = client.post(path)
    assert response.json()["detail"] == f"There is nothing at {path}."


def test_a_browser_reads_it_too(client: Client) -> None:
    response = client.get("/list", headers={"Accept": BROWSER})
    assert response.status_code == 404
    assert "There is no /list; did you mean /lists?" in response.content.decode()


def test_a_long_path_is_not_compared() -> None:
    number = "1" * (MAX_LENGTH - len("/list/"))
    assert suggestion(f"/list/{number}") == f"/lists/{number}"
    assert suggestion(f"/list/{number}1") is None


def test_nothing_but_numbers_is_repeated() -> None:
    assert suggestion("/list/\N{ARABIC-INDIC DIGIT ONE}") is None
    assert suggestion("/list/<script>") is None
    assert suggestion('/list"') == "/lists"
