"""`docker stop`: what was accepted is answered, then the server ends by itself."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from e2e.docker.container import Container
from e2e.docker.terminal import Terminal, eventually

Serve = Callable[..., Container]

POSTGRESQL = "-e DATABASE_URL=postgresql://postgres:foobar@db/tasklists"


def test_an_idle_server_ends_with_success(serve: Serve) -> None:
    container = serve().ready()
    assert container.stop() == 0
    assert "Shutting down" in container.log()


def test_a_request_under_way_is_answered(
    terminal: Terminal, serve: Serve, network: str, database: str
) -> None:
    container = serve(f"--network {network} {POSTGRESQL}").ready()

    def sql(statement: str) -> str:
        return terminal(f'docker exec {database} psql -U postgres -At tasklists -c "{statement}"')

    def activity(condition: str) -> str:
        return sql(f"select pid from pg_stat_activity where {condition}")

    with ThreadPoolExecutor(3) as threads:
        # psql ends with an error when its connection is closed, which releases the lock.
        threads.submit(sql, "begin; lock table tasklists_tasklist; select pg_sleep(50)")
        locker = eventually(lambda: activity("wait_event = 'PgSleep'"))
        try:
            request = threads.submit(container.add, "accepted")
            eventually(lambda: activity("wait_event_type = 'Lock'"))
            stop = threads.submit(container.stop)
            eventually(lambda: "Handling signal: term" in container.log())
            assert not request.done()
        finally:
            sql(f"select pg_terminate_backend({locker})")
        request.result()
        assert stop.result() == 0
    assert sql("select name from tasklists_tasklist") == "accepted"
