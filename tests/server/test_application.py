"""What the worker does when the application fails, and when it is due to be replaced."""

from collections.abc import Callable, Iterator

import pytest
import requests

from tests.conftest import empty_database
from tests.load import eventually
from tests.process import Service
from tests.service.defective.urls import CHUNK
from tests.wire import HANG, connect, post, receive, receive_all, request

pytestmark = pytest.mark.once(on="postgresql")

Serve = Callable[..., Service]
DEFECTIVE = "tests.service.defective.settings"


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with (
        empty_database(tmp_path_factory.mktemp("service")) as url,
        Service({"DATABASE_URL": url, "SERVED_BY": "pod"}) as service,
    ):
        yield service


@pytest.mark.parametrize("path", ["/stream/0", "/header"])
def test_a_response_that_fails_before_it_has_begun_is_500(serve: Serve, path: str) -> None:
    service = serve(DJANGO_SETTINGS_MODULE=DEFECTIVE)
    response = requests.get(f"{service.url}{path}", timeout=HANG)
    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Connection"] == "close"
    assert response.json()["detail"] == "This is a defect; it has been logged."
    eventually(lambda: logged(service, path) == [500], "the request to be logged")
    assert any("exception" in record for record in service.records())


def test_a_response_that_fails_midway_is_cut_off(serve: Serve) -> None:
    """Neither a second response nor the end of the chunked body follows what was sent."""
    service = serve(DJANGO_SETTINGS_MODULE=DEFECTIVE)
    with connect(service) as connection:
        connection.sendall(request("GET", "/stream/2"))
        head, _, body = receive_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b"%X\r\n%s\r\n" % (len(CHUNK), CHUNK) * 2
    eventually(lambda: logged(service, "/stream/2") == [200], "the request to be logged")
    [record] = [record for record in service.records() if "exception" in record]
    assert record["exception"][0]["exc_value"] == "the stream failed"


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_an_application_can_have_its_connection_closed(
    named: Service, method: str, version: str
) -> None:
    """/instance does, also for a client that asks to keep it."""
    asked = request(method, "/instance", "Connection: keep-alive", version=version)
    with connect(named) as connection:
        for path in ("/lists", "/nothing", "/health/live"):  # those before it are kept
            connection.sendall(request("GET", path))
            before = receive(connection)
            assert before
            assert before.headers["Connection"] == "keep-alive"
        connection.sendall(asked)
        answer = receive(connection, method)
        assert answer
        assert answer.status == 200
        assert answer.headers["Connection"] == "close"
        assert receive_all(connection) == b""


def test_requests_that_are_pipelined_behind_it_are_not_handled(named: Service) -> None:
    """The client learns from Connection: close that it has to send those requests again."""
    with connect(named) as connection:
        connection.sendall(
            request("GET", "/lists")
            + request("GET", "/instance")
            + post(b'{"name": "pipelined"}')
            + request("GET", "/lists")
        )
        answers = receive_all(connection).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"200"]
    assert b"Connection: keep-alive" in answers[0]
    assert b"Connection: close" in answers[1]
    created = requests.get(f"{named.url}/lists?name=pipelined", timeout=HANG)
    assert created.json() == []
    assert created.headers["Connection"] == "keep-alive"


def test_a_worker_that_has_answered_its_requests_is_replaced_and_none_is_lost(serve: Serve) -> None:
    service = serve(WEB_CONCURRENCY="2", GUNICORN_CMD_ARGS="--max-requests=20")
    first = {worker.pid for worker in service.workers()}
    with requests.Session() as session:
        statuses = {
            session.get(f"{service.url}/lists", timeout=HANG).status_code for _ in range(100)
        }
    assert statuses == {200}
    eventually(
        lambda: not first & {worker.pid for worker in service.workers()}, "both to be replaced"
    )


def logged(service: Service, path: str) -> list[int]:
    return [record["status"] for record in service.records() if record.get("path") == path]
