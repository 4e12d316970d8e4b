"""Tokens in the Authorization header."""

import re
from typing import Any

from rest_framework.authentication import TokenAuthentication as RestTokenAuthentication
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from service.tokens import find

# What the database can compare: PostgreSQL refuses NUL, and no key is longer.
KEY = re.compile(rb"[!-~]{1,40}")


class TokenAuthentication(RestTokenAuthentication):
    """``Authorization: Token KEY`` or ``Bearer KEY``; anything else in this header is 401.

    DRF would take a request with another scheme for an anonymous one. An empty header does count
    as none.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        scheme, *credentials = get_authorization_header(request).split() or [b""]
        if not scheme:
            return None
        if scheme.lower() not in (b"token", b"bearer"):
            raise AuthenticationFailed(
                "The Authorization header has to be `Token KEY` or `Bearer KEY`; "
                "no other scheme is supported."
            )
        if len(credentials) != 1:
            raise AuthenticationFailed(
                "The Authorization header has to be `Token KEY` or `Bearer KEY`, "
                "with a key that has no spaces."
            )
        if not KEY.fullmatch(credentials[0]):
            raise AuthenticationFailed("Invalid token.")
        return self.authenticate_credentials(credentials[0].decode())

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        token = find(key)
        if token is None:  # or one whose key an earlier version has stored
            user_and_token: tuple[Any, Any] = super().authenticate_credentials(key)
            return user_and_token
        if not token.user.is_active:
            raise AuthenticationFailed("User inactive or deleted.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        # A Bearer challenge has at least one parameter (RFC 6750, section 3).
        return 'Token realm="api", Bearer realm="api"'
