"""Members of each type, on a resource of the tests' own: tests/books/."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from tests.books.models import Book
from tests.rest.conftest import Send

pytestmark = pytest.mark.django_db

BODY = {"title": "a", "pages": 7}
DEFAULTS = {
    "lent": False,
    "signed": None,
    "rating": None,
    "summary": "",
    "published": None,
    "read_at": None,
    "genre": "n",
    "isbn": None,
}
VALUES: list[tuple[str, Any]] = [
    ("lent", True),
    ("signed", True),
    ("signed", False),
    ("rating", 0),
    ("rating", -(2**31)),
    ("rating", 2**31 - 1),
    ("pages", 0),
    ("summary", 'two\nlines "quoted" \\ and {braces} 100 %'),
    ("summary", "x" * 60_000),
    ("published", "0001-01-01"),
    ("published", "2028-02-29"),
    ("published", "9999-12-31"),
    ("read_at", "2026-12-31T23:59:59.000001Z"),
    ("read_at", "2026-12-31T00:00:00.000000Z"),
    ("genre", "p"),
    ("isbn", "9780141439686"),
    ("shelf", -3),
]
INVALID: dict[str, list[Any]] = {
    "lent": [None, "true", "false", 1, 0, 1.0, "", [], {}],
    "signed": ["null", "true", 1, 0, "", [], {}],
    "rating": [True, False, "1", "", 1.5, 2**63, -(2**64), 1e300, []],
    "pages": [None, -1, True, "7", 7.5, 2**63, 2**64, {}],
    "summary": [None, 1, True, [], {}, "\0"],
    "published": ["", 1, True, "2026-02-29", "2026-1-1", "20260101", "today", [], {}],
    "read_at": ["", 1, True, "today", "2026-02-30T00:00:00Z", [], {}],
    "genre": [None, "", "x", "novel", 1, True, [], {}],
    "isbn": [1, True, "9" * 14, [], {}],
    "shelf": [None, "1", True, 1.5, 2**63, []],
}


@pytest.mark.parametrize(("name", "value"), VALUES, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_a_value_survives_a_round_trip(
    client: Client, send: Send, method: str, name: str, value: Any
) -> None:
    path = "/books" if method == "post" else f"/books/{Book.objects.create(**BODY).pk}"
    body = {name: value} if method == "patch" else {**BODY, name: value}
    response = send(method, path, body)
    assert response.status_code in (200, 201), response.json()
    written = response.json()
    assert written[name] == value
    assert type(written[name]) is type(value)
    assert written.items() >= {**DEFAULTS, **BODY, **body}.items()
    assert client.get("/books").json() == [written]


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in INVALID.items() for value in values],
    ids=lambda value: repr(value)[:20],
)
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_a_value_of_another_type_or_out_of_range_is_pointed_at(
    send: Send, method: str, name: str, value: Any
) -> None:
    book = Book.objects.create(**BODY)
    path = "/books" if method == "post" else f"/books/{book.pk}"
    response = send(method, path, {**BODY, name: value})
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [f"/{name}"]
    assert Book.objects.get().version == 1


@pytest.mark.parametrize("name", [*INVALID, "title"])
@pytest.mark.parametrize(
    "value",
    ["[" * 1000 + "]" * 1000, '{"a":' * 1000 + "1" + "}" * 1000],
    ids=["arrays", "objects"],
)
def test_a_deeply_nested_value_is_pointed_at(send: Send, name: str, value: str) -> None:
    response = send("post", "/books", f'{{"title": "a", "pages": 7, "{name}": {value}}}'.encode())
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [f"/{name}"]


@pytest.mark.parametrize("value", ["x" * 60_000, ["x"] * 10_000], ids=["text", "array"])
@pytest.mark.parametrize("name", [name for name in INVALID if name != "summary"])
def test_a_message_does_not_repeat_a_long_value(send: Send, name: str, value: Any) -> None:
    response = send("post", "/books", {**BODY, name: value})
    assert response.status_code == 400
    assert len(response.content) < 1000


def test_json_does_not_tell_1_from_1_0(send: Send) -> None:
    assert (
        send("post", "/books", b'{"title": "a", "pages": 7.0, "rating": 1e2}').json().items()
        >= {
            "pages": 7,
            "rating": 100,
        }.items()
    )


FULL: dict[str, Any] = {
    "title": "a",
    "pages": 7,
    "lent": True,
    "signed": False,
    "rating": 3,
    "summary": "s",
    "published": "2026-11-26",
    "read_at": "2026-11-26T01:02:03.000004Z",
    "label": "mine",
    "genre": "p",
    "isbn": "9780141439686",
    "shelf": 2,
}


def test_the_json_of_a_full_row(client: Client, send: Send) -> None:
    created = send("post", "/books", FULL)
    assert created.status_code == 201
    assert created.json().items() >= FULL.items()
    book = Book.objects.get()
    assert book.read_at == datetime.fromisoformat(FULL["read_at"])
    set_by_the_service = ["lost_at", "created_at", "updated_at", "version"]
    assert list(created.json()) == ["id", *FULL, *set_by_the_service]


def test_put_returns_optional_members_to_their_defaults(send: Send) -> None:
    location = send("post", "/books", FULL)["Location"]
    replaced = send("put", location, BODY)
    assert replaced.status_code == 200
    assert replaced.json().items() >= {**DEFAULTS, **BODY}.items()


def test_a_default_of_the_database_is_of_new_rows_alone(send: Send) -> None:
    created = send("post", "/books", BODY)
    assert created.json()["shelf"] == 1
    moved = send("patch", created["Location"], {"shelf": 2})
    assert moved.json()["shelf"] == 2
    assert send("put", created["Location"], BODY).json()["shelf"] == 2


def test_the_first_time_stays_until_it_is_removed(send: Send) -> None:
    location = send("post", "/books", BODY)["Location"]
    times = ["2026-11-26T01:02:03.000004Z", "2026-11-27T00:00:00.000000Z"]
    for time in times:
        assert send("patch", location, {"read_at": time}).json()["read_at"] == times[0]
    assert send("patch", location, {"read_at": None}).json()["read_at"] is None
    assert send("patch", location, {"read_at": times[1]}).json()["read_at"] == times[1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_a_value_that_another_row_has_is_409_if_it_has_to_be_unique(
    client: Client, send: Send, method: str
) -> None:
    rows = [send("post", "/books", {**BODY, "isbn": isbn}).json() for isbn in ("1", "2")]
    path = "/books" if method == "post" else f"/books/{rows[1]['id']}"
    assert send(method, path, {**BODY, "isbn": "1"}).status_code == 409
    assert client.get("/books").json() == rows


def test_what_the_service_sets_is_ignored_in_a_body(send: Send) -> None:
    given = {"id": 99, "lost_at": "2026-11-26T00:00:00Z", "version": 5}
    created = send("post", "/books", {**BODY, **given}).json()
    assert (created["lost_at"], created["version"]) == (None, 1)
    changed = send("put", f"/books/{created['id']}", {**BODY, **given}).json()
    assert (changed["lost_at"], changed["version"]) == (None, 2)


def test_patch_leaves_the_other_members_alone(send: Send) -> None:
    location = send("post", "/books", FULL)["Location"]
    changed = send("patch", location, {"rating": None, "lent": False, "title": " b "})
    expected = {**FULL, "rating": None, "lent": False, "title": "b"}
    assert changed.json().items() >= expected.items()


def test_every_invalid_member_is_pointed_at(send: Send) -> None:
    response = send("post", "/books", {"title": "", "lent": 1, "rating": "x", "published": 0})
    pointers = [error["pointer"] for error in response.json()["errors"]]
    assert pointers == ["/title", "/pages", "/lent", "/rating", "/published"]


@pytest.mark.parametrize(
    ("value", "count"), [("true", 1), ("false", 2), ("", 3)], ids=["true", "false", "empty"]
)
def test_a_boolean_filter(client: Client, value: str, count: int) -> None:
    for lent in (True, False, False):
        Book.objects.create(**BODY, lent=lent)
    assert len(client.get(f"/books?lent={value}").json()) == count


@pytest.mark.parametrize("value", ["True", "1", "yes", "null", "true ,", "\0"])
def test_a_misspelt_boolean_filter_is_refused(client: Client, value: str) -> None:
    response = client.get("/books", {"lent": value})
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {"parameter": "lent", "detail": "This has to be true or false."}
    ]


def test_a_form_has_text_for_every_type(client: Client) -> None:
    form = {
        "title": "a",
        "pages": "7",
        "lent": "true",
        "rating": "3",
        "published": "2026-11-26",
        "read_at": "2026-11-26T01:02:03Z",
        "genre": "p",
        "shelf": "2",
    }
    page = client.post("/books", form, headers={"Accept": "text/html"})
    assert page.status_code == 201, page.content
    book = Book.objects.get()
    assert (book.pages, book.lent, book.rating, book.shelf) == (7, True, 3, 2)
    assert (str(book.published), book.genre) == ("2026-11-26", "p")


def test_a_default_that_is_called_is_another_one_for_each_row(client: Client, send: Send) -> None:
    first, second = (send("post", "/books", BODY).json() for _ in range(2))
    assert len({first["label"], second["label"], ""}) == 3
    replaced = send("put", f"/books/{first['id']}", BODY).json()
    assert replaced["label"] not in (first["label"], second["label"], "")
    assert client.get("/books").json() == [replaced, second]
