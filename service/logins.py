"""Limits how many logins may fail and how many run at a time, and logs how each one ends."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

import structlog
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from service.client_address import client_address
from service.errors import Problem, Refused, unavailable
from service.models import LoginFailure

WINDOW = timedelta(minutes=15)
CLOCK_SKEW = timedelta(minutes=1)  # by which the clocks of replicas may differ
MAX_FAILURES = 5  # of one name from one network, within the window
MAX_FAILURES_OF_NETWORK = 50  # of all names
MAX_NAME = 150  # characters of a name that are stored and logged; no user has a longer one

# Checking a password takes some 0.4 s of CPU, on purpose. A worker checks one at a time and lets
# one more login wait, so that the other threads and most of the CPU are left for other requests.
turns = threading.BoundedSemaphore(2)
checking = threading.Lock()

logger = structlog.get_logger("service.logins")


class LimitedBackend:
    """Checks passwords as ModelBackend does, unless too many logins have failed.

    List it before ModelBackend in settings.AUTHENTICATION_BACKENDS. ModelBackend looks up the users
    of sessions and checks permissions.
    Raises Refused, which becomes 429 or 503. A name that no user has is treated like the others.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None
    ) -> AbstractBaseUser | None:
        if request is None or username is None or password is None:
            return None  # not a client's login
        name, address = username[:MAX_NAME], address_of(request)
        with turn(name, address):
            # A login counts as failed until its password has been checked. So those that other
            # processes check at the same time count as well.
            remember_failure(name, address)
            user = ModelBackend().authenticate(request, username, password)
        if user is None:
            raise PermissionDenied  # no other backend checks the password again
        LoginFailure.objects.filter(name=name, network=network_of(address)).delete()
        return user


@contextmanager
def turn(name: str, address: str) -> Iterator[None]:
    """Let the block check a password: one at a time, and only if few have been wrong.

    Raises Refused.
    """
    refuse_after_failures(name, address)  # without waiting for a turn
    if not turns.acquire(blocking=False):
        logger.warning("user_login_refused", username=name, remote_address=address, reason="busy")
        raise Refused(unavailable("Too many logins at the same time; try again."))
    try:
        with checking:
            refuse_after_failures(name, address)
            yield
    finally:
        turns.release()


def refuse_after_failures(name: str, address: str) -> None:
    """Raise Refused with status 429 if too many recent logins failed."""
    wait = seconds_to_wait(name, address, timezone.now())
    if wait:
        logger.warning(
            "user_login_refused", username=name, remote_address=address, retry_after=wait
        )
        detail = f"Too many logins have failed; try again in {wait} seconds."
        raise Refused(Problem(429, detail, headers={"Retry-After": str(wait)}))


def seconds_to_wait(name: str, address: str, now: datetime) -> int:
    """How long nobody may log in with this name from this address; 0 if they may."""
    failures = recent_failures(now).filter(network=network_of(address))
    newest = failures.order_by("-time").values_list("name", "time")[:MAX_FAILURES_OF_NETWORK]
    of_network = list(newest)
    of_name = [failure for failure in of_network if failure[0] == name]
    ends = [
        newest_first[maximum - 1][1] + WINDOW
        for newest_first, maximum in (
            (of_name, MAX_FAILURES),
            (of_network, MAX_FAILURES_OF_NETWORK),
        )
        if len(newest_first) >= maximum
    ]
    return max((math.ceil((end - now).total_seconds()) for end in ends), default=0)


def recent_failures(now: datetime) -> QuerySet[LoginFailure]:
    """Those that count."""
    return LoginFailure.objects.filter(time__range=period(now))


def period(now: datetime) -> tuple[datetime, datetime]:
    """When failures count: for WINDOW, and not longer after a clock was wrong."""
    return now - WINDOW, now + CLOCK_SKEW


def refused_networks() -> list[str]:
    """The networks from which nobody may log in, whatever the name."""
    failures = recent_failures(timezone.now())
    counted = failures.values("network").annotate(failures=Count("id")).order_by("network")
    full = counted.filter(failures__gte=MAX_FAILURES_OF_NETWORK)
    return list(full.values_list("network", flat=True))


def remember_failure(name: str, address: str) -> None:
    """Store a failure, and delete those that no longer count."""
    now = timezone.now()
    LoginFailure.objects.exclude(time__range=period(now)).delete()
    LoginFailure.objects.create(name=name, network=network_of(address), time=now)


def address_of(request: HttpRequest) -> str:
    """The client's IP address as the access log has it; empty if there is none."""
    headers = request.META
    return client_address(headers.get("REMOTE_ADDR", ""), headers.get("HTTP_X_FORWARDED_FOR", ""))


def network_of(address: str) -> str:
    """What counts as one client: an IPv4 address, or an IPv6 network of 64 bits.

    Clients with IPv6 have such a network each, and may use all addresses in it.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return address[:45]
    if not isinstance(ip, IPv6Address):
        return str(ip)
    return str(IPv6Network((int(ip), 64), strict=False))


def log_failure(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Receive Django's signal user_login_failed, whose ``credentials`` hide the password."""
    logger.warning(
        "user_login_failed",
        username=str(credentials.get("username"))[:MAX_NAME],
        remote_address=address_of(request) if request else "",
    )


def log_success(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Receive Django's signal user_logged_in."""
    logger.info("user_logged_in", username=user.get_username(), remote_address=address_of(request))
    # LimitedBackend checks passwords, and sessions need a backend that looks up users. This one
    # is also known to Pods of an older version that share the database during a rollout.
    request.session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
