import os
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import NoReturn
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from psycopg2.extensions import make_dsn

from project import urls

CHUNK = b"x" * 100_000  # more than the worker collects before it sends


def defect(request: HttpRequest) -> NoReturn:
    password = "hunter2"  # noqa: F841 - to be looked for in the log
    raise RuntimeError("the cause of the\ndefect")


class Unprintable:
    def __repr__(self) -> str:
        raise ValueError("no such text")


def secrets(request: HttpRequest) -> NoReturn:
    """Fail in a frame whose variables hold secrets under names that do not tell."""
    url = settings.DATABASE_URL
    nested = {"inner": [settings.MIGRATION_DATABASE_URL, {"password": "x"}]}
    words = "harmless"
    unprintable = Unprintable()  # noqa: F841 - to be looked for on the page
    raise RuntimeError(f"{len(url)}, {len(nested)}, {len(words)}")


def secrets_in_objects(request: HttpRequest) -> NoReturn:
    """Fail with secrets in the messages of two exceptions, and in objects that are no text."""
    password = settings.DATABASES["default"]["PASSWORD"]
    objects = [
        {settings.DATABASE_URL},
        SimpleNamespace(url=settings.MIGRATION_DATABASE_URL),
        settings.ADMIN_PASSWORD.encode(),
        make_dsn(host="db", password=password),
        f"postgresql://ada:{quote(password)}@db",
        partial(len, password),
        os.environ,
    ]
    hidden = objects[int(request.GET["number"])]
    error = RuntimeError(f"neither {hidden!r} nor {password}")
    error.add_note(f"nor {settings.SECRET_KEY}")
    raise error from ValueError(f"cannot read {hidden!r}")


def header(request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={"not a token": "x"})


def stream(request: HttpRequest, chunks: int) -> StreamingHttpResponse:
    """A response that fails after so many chunks."""

    def content() -> Iterator[bytes]:
        yield from [CHUNK] * chunks
        raise RuntimeError("the stream failed")

    return StreamingHttpResponse(content())


urlpatterns = [
    path("defect", defect),
    path("defect/secrets", secrets),
    path("defect/objects", secrets_in_objects),
    path("header", header),
    path("stream/<int:chunks>", stream),
    *urls.urlpatterns,
]
handler500 = urls.handler500
