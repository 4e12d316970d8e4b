"""The service behind PgBouncer in transaction mode; migrations go past it."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from tests.load import Load, names
from tests.pooler import PgBouncer
from tests.postgresql import PostgreSQL
from tests.process import Service
from tests.service.test_outage import (
    assert_no_defect,
    assert_only_unavailable,
    assert_unavailable,
    get,
)

Serve = Callable[..., Service]

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")


@pytest.fixture
def database() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


@pytest.fixture
def pooler(database: PostgreSQL) -> Iterator[PgBouncer]:
    with PgBouncer(database) as pooler:
        yield pooler


def test_a_frozen_database_behind_a_pooler_holds_nobody_for_long(
    serve: Serve, database: PostgreSQL, pooler: PgBouncer
) -> None:
    """The pooler itself would hold a request for two minutes."""
    service = serve(
        DATABASE_URL=pooler.url,
        MIGRATION_DATABASE_URL=database.url,
        DATABASE_STATEMENT_TIMEOUT="1",
        DATABASE_CONNECT_TIMEOUT="1",
    )
    with Load(service) as load:
        load.wait_for(201, 10)
        database.freeze()
        try:
            load.wait_for(503, 10)
            assert get(service, "/health/live").status_code == 200
            assert_unavailable(get(service, "/health/ready"))
        finally:
            database.thaw()
        load.wait_for(201, 10)
    assert_only_unavailable(load)
    found = names(service)
    assert all(found[name] == 1 for name in load.acknowledged)
    assert max(found.values()) == 1
    assert_no_defect(service)
