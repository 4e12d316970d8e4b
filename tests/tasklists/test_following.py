"""What ``after`` promises while others write, and what it does not."""

from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest
import requests
from django.db import connection

from tests.load import Load, eventually, names
from tests.process import Service
from tests.wire import HANG

Serve = Callable[..., Service]


def ids(service: Service, after: int = 0) -> list[int]:
    page = requests.get(f"{service.url}/lists", params={"after": after}, timeout=HANG)
    return [each["id"] for each in page.json()]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_what_is_committed_late_is_found_from_the_beginning(
    serve: Serve, database_url: str
) -> None:
    """PostgreSQL gives the ids 1 and 2, and commits 2 first."""
    service = serve()
    with closing(psycopg2.connect(database_url)) as late, late.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tasklists_tasklist (name, created_at, updated_at, version)"
            " VALUES ('late', now(), now(), 1)"
        )
        answer = requests.post(f"{service.url}/lists", json={"name": "early"}, timeout=HANG)
        assert answer.json()["id"] == 2
        assert ids(service) == [2]
        late.commit()
    assert ids(service, after=2) == []  # what a client that polls would never see
    assert ids(service) == [1, 2]


def test_a_walk_sees_what_was_there_exactly_once_while_others_write(serve: Serve) -> None:
    service = serve()
    with Load(service) as load:
        for walk in range(1, 4):
            eventually(lambda: len(load.acknowledged) >= walk * 100, "more lists")  # noqa: B023
            there = set(load.acknowledged)
            seen = names(service)
            assert there <= seen.keys()
            assert set(seen.values()) == {1}
    assert names(service).keys() >= set(load.acknowledged)
