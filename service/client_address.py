"""Whose request it is, behind proxies."""

import ipaddress
import re

from django.conf import settings

# Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711.
ADDRESS = re.compile(r"\[(?P<v6>.*)\](:[0-9]+)?|(?P<v4>[0-9.]+):[0-9]+")


def client_address(peer: str, forwarded_for: str) -> str:
    """The address of the client whose request came from ``peer``, as an IPv4 or IPv6 address.

    Each proxy adds the address from which it got the request to the end of X-Forwarded-For. So the
    last settings.TRUST_PROXY_HEADERS entries come from trusted proxies, and the first of these is
    the client; the entries before it may be invented. If the header is absent or that entry is no
    address, the client is ``peer``.
    """
    # On a dual-stack socket the kernel maps IPv4 addresses into IPv6: ::ffff:192.0.2.1.
    peer = peer.removeprefix("::ffff:")
    if not forwarded_for or not settings.TRUST_PROXY_HEADERS:
        return peer
    entries = forwarded_for.rsplit(",", settings.TRUST_PROXY_HEADERS)
    if len(entries) > settings.TRUST_PROXY_HEADERS:
        del entries[0]  # what nobody vouches for
    entry = entries[0].strip()
    if with_port := ADDRESS.fullmatch(entry):
        entry = with_port["v6"] or with_port["v4"]
    try:
        address = ipaddress.ip_address(entry)
    except ValueError:
        return peer
    if getattr(address, "scope_id", None):
        return peer  # no client has an address of a link, and the scope may be any text
    return str(getattr(address, "ipv4_mapped", None) or address)
