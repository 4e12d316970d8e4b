"""The client's address in X-Forwarded-For, of which a client may write the beginning."""

from collections.abc import Callable

import pytest
import requests
from django.conf import LazySettings, settings

from service.client_address import client_address
from tests.process import Service
from tests.wire import HANG

PEER = "192.0.2.99"


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "192.0.2.1", PEER),
        (1, "", PEER),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "10.0.0.1, 192.0.2.1", "192.0.2.1"),
        (2, "10.0.0.1, 192.0.2.1, 198.51.100.7", "192.0.2.1"),
        (2, "192.0.2.1", "192.0.2.1"),  # past the outer proxy, from within
        (1, " 2001:DB8::1 ", "2001:db8::1"),
        (1, "192.0.2.1:4711", "192.0.2.1"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
        *(
            (1, rubbish, PEER)
            for rubbish in (",", "unknown", "192.0.2", "a, ", '192.0.2.1"x', "[", "1" * 5000)
        ),
        (1, "192.0.2.1, unknown", PEER),
        (1, "fe80::1%eth0", PEER),
    ],
)
def test_the_entry_of_the_outermost_trusted_proxy_counts(
    settings: LazySettings, proxies: int, header: str, address: str
) -> None:
    settings.TRUST_PROXY_HEADERS = proxies
    assert client_address(PEER, header) == address
    assert client_address(f"::ffff:{PEER}", header) == address


def addresses(service: Service, path: str) -> list[str]:
    """The addresses that the log has for requests to ``path``."""
    return [record["remote_address"] for record in service.records() if record.get("path") == path]


@pytest.mark.parametrize(("trust", "logged"), [("false", "127.0.0.1"), ("2", "192.0.2.1")])
def test_the_log_has_it(serve: Callable[..., Service], trust: str, logged: str) -> None:
    service = serve(TRUST_PROXY_HEADERS=trust)
    headers = {"X-Forwarded-For": "203.0.113.5, 192.0.2.1, 198.51.100.7"}
    requests.get(f"{service.url}/nothing", headers=headers, timeout=HANG)
    # The server itself answers this one.
    body = b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    requests.post(f"{service.url}/large", body, headers=headers, timeout=HANG)
    service.process.terminate()
    service.process.wait(HANG)
    assert addresses(service, "/nothing") == addresses(service, "/large") == [logged]
