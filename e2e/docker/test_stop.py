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
    psql = f"docker exec {database} psql -U postgres -At tasklists -c"
    waiting = f'{psql} "select count(*) from pg_locks where not granted"'
    lock = "begin; lock table tasklists_tasklist; select pg_sleep(600)"
    unlock = f"{psql} \"select pg_terminate_backend(pid) from pg_stat_activity where query like 'begin; lock%'\""
    with ThreadPoolExecutor(3) as threads:
        try:
            threads.submit(terminal.run, f'{psql} "{lock}"')
            eventually(
                lambda: "PgSleep" in terminal(f'{psql} "select wait_event from pg_stat_activity"')
            )
            request = threads.submit(container.add, "accepted")
            eventually(lambda: terminal(waiting) == "1")
            stop = threads.submit(container.stop)
            eventually(lambda: "Handling signal: term" in container.log())
            assert not request.done()
        finally:
            terminal(unlock)
        request.result()
        assert stop.result() == 0
    assert terminal(f'{psql} "select name from tasklists_tasklist"') == "accepted"
