"""The image where little is allowed: no writes, no capabilities, any user id, little memory."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from e2e.docker.container import Container
from e2e.docker.terminal import Terminal, eventually

Serve = Callable[..., Container]

READ_ONLY = "--read-only --tmpfs /tmp --tmpfs /data"
UNPRIVILEGED = "--cap-drop ALL --security-opt no-new-privileges"
POSTGRESQL = "-e DATABASE_URL=postgresql://postgres:foobar@db/tasklists"


@pytest.mark.parametrize(
    "options",
    [
        READ_ONLY,
        UNPRIVILEGED,
        "--user 12345:0",
        "--user 12345",
        f"{READ_ONLY} {UNPRIVILEGED} --user 12345:0",
        "-e PORT=8080 -p 127.0.0.1::8080",
        "-e WEB_CONCURRENCY=1 -e THREADS=1",
    ],
)
def test_it_serves_on_sqlite(serve: Serve, options: str) -> None:
    container = serve(options).ready(8080 if "8080" in options else 5000)
    container.add("test")
    container.add_task("milk")
    assert container.names() == ["test"]
    assert container.titles() == ["milk"]
    assert container.get("/docs").ok
    assert container.stop() == 0


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    "options", ["", f"{READ_ONLY} {UNPRIVILEGED} --user 12345:0", "--read-only"]
)
def test_it_serves_on_postgresql(serve: Serve, network: str, options: str) -> None:
    container = serve(f"--network {network} {POSTGRESQL} {options}").ready()
    container.add("test")
    container.add_task("milk")
    assert container.names() == ["test"]
    assert container.titles() == ["milk"]
    assert container.stop() == 0


def test_it_counts_requests_where_little_is_allowed(serve: Serve) -> None:
    port = 9464
    allowed = f"{READ_ONLY} {UNPRIVILEGED} --user 12345:0"
    container = serve(f"{allowed} -e METRICS_PORT={port} -p 127.0.0.1::{port}").ready()
    container.add("test")
    metrics = container.terminal(f"docker port {container.id} {port}/tcp")
    created = 'http_response_status_code="201",http_route="/lists"} 1.0'
    eventually(lambda: created in requests.get(f"http://{metrics}/metrics", timeout=10).text)
    assert container.get("/metrics").status_code == 404
    assert container.stop() == 0


def test_it_writes_nothing_but_its_data(serve: Serve) -> None:
    container = serve().ready()
    container.add("test")
    assert container.get("/lists", headers={"Accept": "text/html"}).ok
    assert container.get("/admin/login/").ok
    assert container.terminal(f"docker diff {container.id}") == ""


def test_data_on_a_volume_outlives_the_container(
    terminal: Terminal, serve: Serve, own_name: str
) -> None:
    terminal(f"docker volume create {own_name}")
    container = serve(f"-v {own_name}:/data").ready()
    container.add("test")
    terminal(f"docker rm -f {container.id}")
    assert serve(f"-v {own_name}:/data").ready().names() == ["test"]


def test_256_mib_are_enough_under_load(serve: Serve) -> None:
    container = serve("--memory 256m --memory-swap 256m").ready()
    names = [f"list {number}" for number in range(2000)]

    def client(share: list[str]) -> None:
        # A busy machine sheds requests, which are not carried out then.
        retry = Retry(status=30, status_forcelist=[503], allowed_methods=None)
        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(max_retries=retry))
            for name in share:
                made = session.post(f"{container.url}/lists", json={"name": name}, timeout=30)
                assert made.status_code == 201
                assert session.get(f"{container.url}/lists", timeout=30).status_code == 200

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(client, [names[start::8] for start in range(8)]))
    state = container.state()
    assert state["Running"]
    assert not state["OOMKilled"]
    log = container.log()
    assert log.count("Booting worker") == 2
    assert "was sent SIG" not in log
    pages = (
        container.get("/lists?limit=1000").json()
        + container.get("/lists?limit=1000&after=1000").json()
    )
    assert sorted(item["name"] for item in pages) == sorted(names)


def test_the_server_is_the_container_s_first_process(serve: Serve) -> None:
    """So that signals reach it, without a shell in between."""
    container = serve().ready()
    assert "gunicorn" in container.execute("cat /proc/1/cmdline")
    assert container.execute("cat /proc/1/comm") != "sh"
