"""Host names and origins, spelled as the values that they are compared with.

Each function returns the spelling that Django or a browser uses, so that letter case, a default
port, a dot or slash at the end, the forms of an IPv6 address and of a name beyond ASCII make no
difference. It raises ValueError, whose text is the reason, for what could never match a request.
"""

import ipaddress
import re
from collections.abc import Collection

DEFAULT_PORTS = {"http": "80", "https": "443"}
# Browsers send "null" for pages at such addresses, or there are none.
WITHOUT_ORIGIN = ("about", "blob", "data", "file", "ftp", "javascript", "ws", "wss")
HOST = r"(\[[^]]*\]|[^:/?#]*)"


def allowed_host(text: str) -> str:
    """An entry of ALLOWED_HOSTS: a host, ``.example.com`` for all below it, or ``*``."""
    if text == "*":
        return text
    if text.count(":") > 1 and not re.search(r"[\[/]", text):
        text = f"[{text}]"  # an IPv6 address
    parts: tuple[str, ...] = re.findall(rf"([^/]*://)?(\*?)(\.?){HOST}(.*)", text, re.DOTALL)[0]
    scheme, asterisk, dot, host, rest = parts
    host = _host(host).removesuffix(".")  # Django removes the dot from the Host header
    if "_" in host:
        raise ValueError(f"Django refuses every request to {host!r} because of the underscore")
    if dot and _is_address(host):
        raise ValueError(f"there are no names below the address {host}")
    if scheme or asterisk or rest:
        raise ValueError(f"write {text!r} as {dot}{host}")
    return dot + host


def origin(
    text: str, *, subdomains: bool = False, schemes: Collection[str] = tuple(DEFAULT_PORTS)
) -> str:
    """The origin of a web page, as browsers write it in the Origin header.

    ``subdomains`` also accepts ``https://*.example.com``. Without ``schemes``, those of apps that
    show pages are accepted as well, such as ``capacitor://localhost``.
    """
    match = re.fullmatch(rf"([^:/]*)://(\*\.)?{HOST}(?::([^/?#]*))?/?(.*)", text, re.DOTALL)
    if not match or not re.fullmatch("[A-Za-z][A-Za-z0-9+.-]*", match[1]):
        begins = " or ".join(f"{scheme}://" for scheme in schemes) or "a scheme such as https://"
        raise ValueError(f"{text!r} does not begin with {begins}")
    scheme, wildcard, host, port, rest = match.groups()
    scheme, wildcard, host = scheme.lower(), wildcard or "", _host(host)
    if scheme in WITHOUT_ORIGIN:
        raise ValueError(f"pages have no origin that begins with {scheme}:")
    if schemes and scheme not in schemes:
        raise ValueError(f"the scheme of {text!r} is not {' or '.join(schemes)}")
    if wildcard and not subdomains:
        raise ValueError(f"{text!r} has a wildcard")
    if wildcard and _is_address(host):
        raise ValueError(f"there are no names below the address {host}")
    if port and not (re.fullmatch("[0-9]{1,5}", port) and 1 <= int(port) <= 65535):
        raise ValueError(f"the port of {text!r} is not a number from 1 to 65535")
    port = str(int(port)) if port else DEFAULT_PORTS.get(scheme)
    result = f"{scheme}://{wildcard}{host}"
    if port != DEFAULT_PORTS.get(scheme):
        result += f":{port}"
    if rest:
        raise ValueError(f"write {text!r} as {result}")
    return result


def pattern(origin: str) -> str:
    """A regular expression for the origins that ``https://*.example.com`` stands for."""
    below = r"(?:[a-z0-9_-]+\.)+"
    return rf"\A{re.escape(origin).replace(re.escape('*.'), below)}\Z"


def _host(text: str) -> str:
    """The host ``text`` as browsers write it in a URL.

    https://url.spec.whatwg.org/#host-parsing, except that of an IPv4 address only the usual form
    is accepted, and of names only those that the DNS can hold.
    """
    if text.startswith("["):
        try:
            address = ipaddress.IPv6Address(text[1:-1])
        except ValueError:
            raise ValueError(f"{text!r} is not an IPv6 address") from None
        if address.scope_id or address.ipv4_mapped:
            raise ValueError(f"{text!r} is an IPv6 address that browsers do not send")
        return f"[{address}]"
    name = text.lower() if text.isascii() else _ascii(text)
    if _is_address(name):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise ValueError(f"{text!r} is not an IPv4 address") from None
    label = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
    if len(name) > 253 or not re.fullmatch(rf"{label}(?:\.{label})*\.?", name):
        raise ValueError(f"{text!r} is not a host name")
    return name


def _ascii(name: str) -> str:
    """``name`` as it is in the DNS: ``xn--...`` for each label that is not ASCII."""
    # Python implements IDNA 2003, which encodes these four characters differently than browsers do.
    if not re.search("[ßς\u200c\u200d]", name.lower()):
        try:
            return name.encode("idna").decode().lower()
        except UnicodeError:
            pass
    raise ValueError(f"{name!r} has to be written in ASCII, as xn--...")


def _is_address(host: str) -> bool:
    """Whether ``host`` is an IP address. Like browsers, decide it by the last label of a name."""
    return host.startswith("[") or bool(re.search(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$", host))
