"""Every response has the protective headers, whichever part of the service makes it."""

import pytest

from tests.process import Service
from tests.wire import exchange, post, request

HTML = "Accept: text/html"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("GET", "/health/live"), 200),
        (request("GET", "/health/live/"), 200),
        (request("HEAD", "/health/live"), 200),
        (request("GET", "/health/ready"), 200),
        (request("POST", "/health/ready", body=b""), 405),
        (request("GET", "/lists"), 200),
        (request("GET", "/"), 200),
        (request("GET", "/", HTML), 200),
        (request("GET", "/lists", HTML), 200),
        (request("GET", "/admin/login/", HTML), 200),
        (request("GET", "/admin/", HTML), 302),
        (request("GET", "/instance"), 404),
        (request("GET", "/schema"), 200),
        (request("GET", "/static/tasklists/page.css"), 404),  # only hashed names are served
        (request("GET", "/lists", host="Host: evil.example"), 400),
        (request("GET", "/lists", f"Cookie: {'a' * 8100}"), 200),
        (request("GET", "/lists", f"Cookie: {'a' * 5000}", f"Cookie: {'b' * 5000}"), 431),
        (post(b"{}", "Content-Encoding: gzip"), 415),
        (post(b"{}", "Authorization: Token wrong"), 401),
        (post(b"{"), 400),
        (request("GET", "/lists", "no colon"), 400),
        (request("GET", "/lists", "Content-Length: 999999"), 413),
    ],
    ids=lambda value: value.split(b"\r\n", 1)[0].decode() if isinstance(value, bytes) else "",
)
def test_response(service: Service, data: bytes, status: int) -> None:
    answer = exchange(service, data)
    assert answer is not None
    assert answer.status == status
    for header, value in (
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ):
        assert answer.headers.get_all(header) == [value], header
