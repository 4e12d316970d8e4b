"""Whether a server can listen on an address."""

import socket


def refusal(host: str, port: int) -> OSError | None:
    """Why a server cannot listen on ``port`` of the IP address ``host``, or None if it can.

    An empty ``host`` stands for all interfaces. Nothing listens, so that a server that starts at
    this moment is not in the way.
    """
    dual_stack = host in ("", "::") and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual_stack or ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual_stack)
            server.bind((host, port))
    except OSError as error:
        return error
    return None
