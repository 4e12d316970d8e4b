"""Host names and origins: what Django and browsers can match, and how the rest is refused."""

import re

import pytest
from django.http.request import split_domain_port, validate_host

from project.origins import allowed_host, origin

pytestmark = pytest.mark.once(on="sqlite")


@pytest.mark.parametrize(
    ("text", "entry", "header"),
    [
        ("*", "*", "example.com"),
        ("example.com", "example.com", "example.com:8000"),
        ("EXAMPLE.com.", "example.com", "example.com"),
        (".Example.com", ".example.com", "a.example.com"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:5000"),
        ("[::1]", "[::1]", "[::1]:5000"),
        ("::1", "[::1]", "[::1]"),
        ("[2001:DB8:0:0::1]", "[2001:db8::1]", "[2001:db8::1]"),
        ("bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_an_allowed_host_matches_the_host_header_of_browsers(
    text: str, entry: str, header: str
) -> None:
    assert allowed_host(text) == entry
    domain, _ = split_domain_port(header)
    assert validate_host(domain, [entry])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("my_app", "Django refuses every request to 'my_app' because of the underscore"),
        (".my_app.example", "Django refuses every request to 'my_app.example' because"),
        ("example.com:80", "write 'example.com:80' as example.com"),
        ("https://Example.com/", "write 'https://Example.com/' as example.com"),
        ("example.com/tasks", "write 'example.com/tasks' as example.com"),
        ("[::1]:80", "write '[::1]:80' as [::1]"),
        ("*.example.com", "write '*.example.com' as .example.com"),
        (".10.0.0.1", "there are no names below the address 10.0.0.1"),
        ("10.0.0.256", "'10.0.0.256' is not an IPv4 address"),
        ("[::1", "'[' is not an IPv6 address"),
        ("a:b:c", "'[a:b:c]' is not an IPv6 address"),
        ("fe80::1%eth0", "'[fe80::1%eth0]' is an IPv6 address that browsers do not send"),
        ("two words", "'two words' is not a host name"),
        ("a..b", "'a..b' is not a host name"),
        ("-a.example", "'-a.example' is not a host name"),
        (f"{'a' * 64}.example", "is not a host name"),
        (f"{'a.' * 127}a", "is not a host name"),
        ("straße.example", "'straße.example' has to be written in ASCII, as xn--..."),
        ("ü" * 64, "has to be written in ASCII, as xn--..."),
        (".", "'' is not a host name"),
    ],
)
def test_a_host_that_matches_no_request_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        allowed_host(text)


@pytest.mark.parametrize(
    ("text", "serialised"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("HTTPS://App.Example.COM", "https://app.example.com"),
        ("https://app.example.com:443/", "https://app.example.com"),
        ("http://app.example.com:80", "http://app.example.com"),
        ("http://app.example.com:443", "http://app.example.com:443"),
        ("http://localhost:08080", "http://localhost:8080"),
        ("http://localhost:", "http://localhost"),
        ("http://my_app:3000", "http://my_app:3000"),
        ("http://[0:0::1]:3000", "http://[::1]:3000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://*.Example.com:8443", "https://*.example.com:8443"),
    ],
)
def test_an_origin_is_spelled_as_browsers_send_it(text: str, serialised: str) -> None:
    assert origin(text, subdomains=True) == serialised


def test_where_any_scheme_is_accepted_it_is_only_asked_for_one() -> None:
    with pytest.raises(ValueError, match="'localhost' does not begin with a scheme such as"):
        origin("localhost", schemes=[])


def test_further_schemes_have_no_default_port() -> None:
    assert origin("capacitor://localhost", schemes=["capacitor"]) == "capacitor://localhost"
    assert origin("Ionic://localhost:80", schemes=["ionic"]) == "ionic://localhost:80"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("app.example.com", "'app.example.com' does not begin with http:// or https://"),
        ("null", "'null' does not begin with http:// or https://"),
        ("ldap://app.example.com", "the scheme of 'ldap://app.example.com' is not http or https"),
        ("https://a.example/path", "write 'https://a.example/path' as https://a.example"),
        ("https://A.example?q", "write 'https://A.example?q' as https://a.example"),
        ("https://*.example.com", "'https://*.example.com' has a wildcard"),
        ("https://user@a.example", "'user@a.example' is not a host name"),
        ("https://a.example:0", "the port of 'https://a.example:0' is not a number from 1 to"),
        ("https://a.example:65536", "is not a number from 1 to 65535"),
        ("https://a.example:٣", "is not a number from 1 to 65535"),
        ("https://", "'' is not a host name"),
        ("wss://a.example", "pages have no origin that begins with wss:"),
        ("File://x", "pages have no origin that begins with file:"),
    ],
)
def test_an_origin_that_no_browser_sends_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        origin(text)


def test_no_name_is_below_an_address() -> None:
    with pytest.raises(ValueError, match=r"^there are no names below the address 10\.0\.0\.1$"):
        origin("https://*.10.0.0.1", subdomains=True)
