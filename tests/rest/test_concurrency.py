"""Many clients at once: every acknowledged write is there, and none is lost."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.db import connection

from tests.load import names, patient
from tests.process import Service
from tests.wire import HANG

Serve = Callable[..., Service]


def test_fifty_writers_lose_nothing(serve: Serve) -> None:
    service = serve()

    def write(_: int) -> list[str]:
        acknowledged = []
        with patient() as session:
            for _ in range(10):
                name = uuid.uuid4().hex
                answer = session.post(f"{service.url}/lists", json={"name": name}, timeout=HANG)
                assert answer.status_code == 201, answer.text
                acknowledged.append(name)
        return acknowledged

    with ThreadPoolExecutor(50) as executor:
        acknowledged = [name for written in executor.map(write, range(50)) for name in written]
    assert len(acknowledged) == 500
    assert names(service) == dict.fromkeys(acknowledged, 1)


def test_no_update_is_lost_under_if_match(serve: Serve) -> None:
    """Each client adds one to a number, five times, starting anew when another was faster."""
    service = serve()
    created = requests.post(f"{service.url}/lists", json={"name": "0"}, timeout=HANG)
    url = service.url + created.headers["Location"]

    def count(_: int) -> int:
        refused = 0
        with patient() as session:
            for _ in range(5):
                while True:
                    read = session.get(url, timeout=HANG)
                    answer = session.patch(
                        url,
                        json={"name": str(int(read.json()["name"]) + 1)},
                        headers={"If-Match": read.headers["ETag"]},
                        timeout=HANG,
                    )
                    if answer.status_code == 200:
                        break
                    assert answer.status_code == 412, answer.text
                    refused += 1
        return refused

    with ThreadPoolExecutor(8) as executor:
        refused = sum(executor.map(count, range(8)))
    final = requests.get(url, timeout=HANG).json()
    assert final["name"] == "40"
    assert final["version"] == 41
    assert refused > 0, "nobody was in another's way, so that nothing was shown"


def test_changes_without_a_condition_are_all_counted(serve: Serve) -> None:
    service = serve()
    created = requests.post(f"{service.url}/lists", json={"name": "0"}, timeout=HANG)
    url = service.url + created.headers["Location"]

    def change(number: int) -> int:
        with patient() as session:
            answer = session.put(url, json={"name": str(number)}, timeout=HANG)
        return int(answer.json()["version"])

    with ThreadPoolExecutor(16) as executor:
        versions = list(executor.map(change, range(64)))
    assert sorted(versions) == list(range(2, 66))


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
def test_sixteen_writers_in_several_processes_share_a_file(serve: Serve) -> None:
    services = [serve(), serve()]

    def write(number: int) -> list[str]:
        acknowledged = []
        for _ in range(15):
            name = uuid.uuid4().hex
            url = f"{services[number % 2].url}/lists"
            with patient() as session:
                answer = session.post(url, json={"name": name}, timeout=HANG)
            assert answer.status_code == 201, answer.text
            acknowledged.append(name)
        return acknowledged

    with ThreadPoolExecutor(16) as executor:
        acknowledged = [name for written in executor.map(write, range(16)) for name in written]
    assert names(services[0]) == dict.fromkeys(acknowledged, 1)
    for service in services:
        assert "locked" not in service.text()
