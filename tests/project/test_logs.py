"""What the running service writes: one record a line, and nothing else."""

import logging
import re
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import requests
import structlog
from django.test import Client

from project import logs
from tests.process import ROOT, Service
from tests.wire import HANG

Serve = Callable[..., Service]


def requests_of(service: Service) -> list[dict[str, Any]]:
    """The records of requests, but for the health checks by which the service was awaited."""
    return [
        record
        for record in service.records()
        if record["logger"] == "gunicorn.access" and not record["path"].startswith("/health/")
    ]


def end(service: Service) -> None:
    """Stop the service, after which its log is complete."""
    service.process.terminate()
    assert service.process.wait(60) == 0


def test_a_request_is_one_json_record(serve: Serve, execute: Callable[[str], None]) -> None:
    service = serve(DJANGO_SETTINGS_MODULE="tests.service.defective.settings")
    requests.get(
        f"{service.url}/lists?limit=7",
        headers={"X-Request-ID": "from-the-client:42", "User-Agent": 'a "client" \\'},
        timeout=10,
    )
    requests.get(f"{service.url}/no%0Awhere%1B[31m%C2%85", timeout=10)
    requests.get(f"{service.url}/health/live", timeout=10)
    execute("ALTER TABLE tasklists_tasklist RENAME TO elsewhere")
    outage = requests.get(f"{service.url}/lists/1", headers={"X-Request-ID": "mine"}, timeout=10)
    assert outage.status_code == 503
    defect = requests.get(f"{service.url}/defect", headers={"X-Request-ID": "ours"}, timeout=10)
    assert defect.status_code == 500
    assert defect.headers["Content-Type"] == "application/problem+json"
    assert defect.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "This is a defect; it has been logged.",
    }
    end(service)

    found = {record["path"]: record for record in requests_of(service)}
    lists = found.pop("/lists")
    assert lists.pop("timestamp").endswith("Z")
    assert lists.pop("duration_us") > 0
    assert lists == {
        "logger": "gunicorn.access",
        "level": "info",
        "message": "request",
        "method": "GET",
        "path": "/lists",
        "query": "limit=7",
        "status": 200,
        "bytes": 2,
        "remote_address": "127.0.0.1",
        "user_agent": 'a "client" \\',
        "request_id": "from-the-client:42",
    }
    assert {path: record["status"] for path, record in found.items()} == {
        "/no\nwhere\x1b[31m\x85": 404,
        "/lists/1": 503,
        "/defect": 500,
    }
    # What a client sends cannot begin a line, in whatever way lines are told apart.
    assert all(line.startswith("{") for line in service.text().splitlines())
    # Health checks that pass would drown everything else.
    checks = [r for r in service.records() if str(r.get("path")).startswith("/health/")]
    assert 200 not in [check["status"] for check in checks]

    away, ours = (record for record in service.records() if record["level"] == "error")
    assert away["logger"] == "service.errors"
    assert away["message"] == "the database is unavailable"
    assert "tasklists_tasklist" in away["error"]
    assert away["request_id"] == "mine"
    assert ours["logger"] == "django.request"
    assert ours["request_id"] == "ours"
    [exception] = ours["exception"]
    assert exception["exc_value"] == "the cause of the\ndefect"
    assert exception["frames"][-1]["name"] == "defect"
    assert "hunter2" not in service.text()  # a variable of that frame


def failure(text: str) -> Any:
    """What sys.exc_info() returns of an exception whose message has this text; so has its cause."""
    try:
        vars(logs)[text]
    except KeyError:
        try:
            float(text)
        except ValueError:
            return sys.exc_info()


@pytest.mark.parametrize("style", ["json", "console"])
def test_long_texts_are_cut(style: str) -> None:
    """Clients' texts are in messages, in values and in exceptions."""
    text = "x" * 30_000
    record = logging.LogRecord("django", logging.ERROR, "", 0, "bad: %s", (text,), failure(text))
    values = {
        "event": "bad",
        "error": text,
        "errors": [text],
        "count": 1,
        "exc_info": failure(text),
    }
    ours = logging.LogRecord("service", logging.ERROR, "", 0, values, (), None)
    vars(ours).update(_logger=None, _name="error")  # as structlog marks its own
    options = logs.configuration(style, "info")["formatters"]["structured"]
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=options["processors"], foreign_pre_chain=options["foreign_pre_chain"]
    )
    for line in map(formatter.format, (record, ours)):
        assert "more characters" in line
        assert "x" * (logs.MAX_TEXT - 20) in line
        assert "x" * (logs.MAX_TEXT + 1) not in line
        assert "ValueError" in line
        assert "KeyError" in line
        assert len(line) < 15_000


def test_the_documentation_says_how_much_is_written() -> None:
    text = " ".join((ROOT / "docs/configuration.md").read_text().split())
    assert f"the first {logs.MAX_TEXT:,} characters are written" in text


def test_the_answer_has_the_request_id(client: Client) -> None:
    acceptable = "Root=1-67891233-abcdef012345678912345678/+@.:_"
    answer = client.get("/schema", headers={"X-Request-ID": acceptable})
    assert answer["X-Request-ID"] == acceptable


@pytest.mark.parametrize("rubbish", ["", "two words", "a\nb", "ü", "x" * 129, '"', "<b>"])
def test_a_request_id_that_may_not_be_logged_is_replaced(client: Client, rubbish: str) -> None:
    answer = client.get("/schema", headers={"X-Request-ID": rubbish})
    assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-ID"])


@pytest.mark.once(on="sqlite")
def test_a_client_does_not_wait_for_who_reads_the_log(database_url: str) -> None:
    ours, theirs = socket.socketpair()
    variables = {"DATABASE_URL": database_url, "WEB_CONCURRENCY": "1", "THREADS": "1"}
    service = Service(variables, output=theirs.makefile("w"))
    with ours, theirs, service:
        with suppress(BlockingIOError):
            while True:
                theirs.send(b"\n", socket.MSG_DONTWAIT)
        answer = requests.post(f"{service.url}/lists", json={"name": "x"}, timeout=HANG)
        assert answer.status_code == 201
        service.process.terminate()
        service.output.close()
        theirs.close()
        log = b"".join(iter(partial(ours.recv, 65536), b""))
    assert b'"status": 201' in log


@pytest.mark.once(on="sqlite")
def test_a_terminal_without_a_client_s_letters_shows_their_codes(serve: Serve) -> None:
    service = serve(LOG_FORMAT="console", PYTHONIOENCODING="ascii")
    requests.get(service.url, headers={"User-Agent": b"\xfc"}, timeout=10)
    end(service)
    assert "user_agent='\\xfc'" in service.text()


@pytest.mark.once(on="sqlite")
def test_lines_for_people_and_for_debugging(serve: Serve) -> None:
    service = serve(LOG_FORMAT="console", LOG_LEVEL="debug")
    requests.get(f"{service.url}/a%0Ab%1B[31mc", timeout=10)
    end(service)
    lines = service.text().split("\n")
    [line] = [line for line in lines if "/a" in line and "gunicorn.access" in line]
    assert "path='/a\\nb\\x1b[31mc'" in line
    assert "status=404" in line
    assert [line for line in lines if "path='/health/ready'" in line and "debug" in line]
    assert "\x1b" not in service.text()
