"""Headers that are long, or that Django or Python would stumble over."""

import codecs
import encodings
import io
import time
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import Client, RequestFactory

from service.errors import MAX_ACCEPT, prefers_html
from service.middleware import RefuseMalformedRequests
from service.requests import MAX_CONTENT_TYPE, Request
from tests.conftest import BROWSER


def request(content_type: str, **environ: Any) -> Request:
    """What the WSGI application makes of a request; Django's test client has its own class."""
    assert WSGIHandler.request_class is Request
    made = RequestFactory().get("/lists", **environ)
    return Request(made.META | {"CONTENT_TYPE": content_type})


def test_a_usual_content_type_is_read_with_its_parameters() -> None:
    form = request("Multipart/Form-Data; boundary=x")
    assert (form.content_type, form.content_params) == ("multipart/form-data", {"boundary": "x"})
    assert form.META["CONTENT_TYPE"] == "Multipart/Form-Data; boundary=x"
    assert request("").content_type == ""


@pytest.mark.parametrize(
    "parameters",
    [
        "; a*=no-encoding''b",
        "; a*0*=no-encoding''b",
        "; a*=undefined''%ff",
        ";a=b" * 100,
        ';"' * 4000,
        '; a="' + ';"' * 16_000,
        ";" * 32_000,
        "; charset=" + "x" * 8000,
    ],
    ids=lambda text: text[:20],
)
def test_parameters_that_are_long_or_cannot_be_read_are_dropped(parameters: str) -> None:
    start = time.thread_time()
    made = request(f"Application/JSON{parameters}")
    assert time.thread_time() - start < 0.05  # Python's parser would need ten times as long
    assert (made.content_type, made.content_params) == ("application/json", {})
    assert made.META["CONTENT_TYPE"] == "application/json"


def test_a_cookie_that_no_database_can_look_up_is_left_out() -> None:
    made = request("", HTTP_COOKIE='sessionid="a\\000"; csrftoken=b')
    assert made.COOKIES == {"csrftoken": "b"}
    assert made.COOKIES is made.COOKIES


def test_a_long_media_type_is_cut() -> None:
    made = request("x" * 8000)
    assert made.content_type == made.META["CONTENT_TYPE"] == "x" * MAX_CONTENT_TYPE


@pytest.mark.parametrize(
    "charset", ["zlib", "hex", "rot13", "idna", "punycode", "undefined", "utf-16", "no-encoding"]
)
def test_text_is_utf_8_whatever_the_charset(charset: str) -> None:
    made = request(f"application/json; charset={charset}", QUERY_STRING="name=%C3%A9")
    assert made.GET["name"] == "é"


@pytest.mark.parametrize("name", ["no-such-encoding", "x" * 8000, "é", "aliases"])
def test_python_does_not_remember_encodings_that_do_not_exist(name: str) -> None:
    before = set(encodings._cache)
    for _ in range(2):
        with pytest.raises(LookupError):
            codecs.lookup(name)
    assert set(encodings._cache) == before


def test_python_remembers_those_that_exist() -> None:
    assert codecs.lookup("mac-iceland").name == "mac-iceland"
    assert "mac_iceland" in encodings._cache


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (BROWSER, True),
        ("text/html," + "a/b," * 200, True),
        ("text/html," + "a/b," * 8000, False),
        ("text/html" + ";a=b" * 8000, False),
        ("text/html" + ';"' * 16_000, False),
        ("text/html, " + "," * 32_000, False),
        ("text/html" + " " * 32_000, False),
        ("text/html, a/b;c*=no-encoding''d", False),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_long_accept_header_is_no_browser_s(client: Client, accept: str, html: bool) -> None:
    made = RequestFactory().get("/", headers={"Accept": accept})
    start = time.thread_time()
    assert prefers_html(made) is html
    assert time.thread_time() - start < 0.05
    assert (len(accept) <= MAX_ACCEPT) or not html
    problem = client.get("/nothing", headers={"Accept": accept})
    assert problem.status_code == 404
    assert problem["Content-Type"].startswith("text/html" if html else "application/problem+json")


@pytest.mark.parametrize("path", ["/lists", "/admin/login/", "/nothing"])
def test_long_cookies_are_refused(client: Client, path: str, db: None) -> None:
    limit = RefuseMalformedRequests.max_cookies
    cookies = 'a="' + "\\" * (limit - 4) + '"'
    assert len(cookies) == limit
    assert client.get(path, headers={"Cookie": cookies}).status_code != 431
    problem = client.get(path, headers={"Cookie": cookies + ";"})
    assert problem.status_code == 431
    assert problem.json()["detail"] == f"Cookie takes at most {limit} characters."


class Broken(io.BytesIO):
    """The body of a client that is gone."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError("the connection is lost")


@pytest.mark.parametrize(
    ("length", "body", "status"),
    [
        (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1, io.BytesIO(), 413),
        (10, io.BytesIO(b"{}"), 400),
        (10, Broken(), 400),
    ],
)
def test_a_body_that_is_incomplete_or_too_large_is_refused_under_any_server(
    length: int, body: io.BytesIO, status: int
) -> None:
    """Our own server refuses it before Django is called."""
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/lists", "CONTENT_LENGTH": str(length)}
    environ |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    middleware = RefuseMalformedRequests(lambda _: HttpResponse())
    problem = middleware.refusal(Request(environ | {"wsgi.input": body}))
    assert problem is not None
    assert problem.status == status
