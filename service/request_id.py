"""The identifier of a request, which its response and its log records carry."""

import random
import re

ACCEPTABLE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def request_id(given: str) -> str:
    """The client's X-Request-ID if that is safe to log and to send back, or a new one."""
    if ACCEPTABLE.fullmatch(given):
        return given
    # uuid4() would ask the kernel for random bytes. An id has to be unique, not secret.
    return f"{random.getrandbits(128):032x}"
