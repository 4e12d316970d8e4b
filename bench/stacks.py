"""What is compared: each stack as its documentation has it served, by one process."""

from pathlib import Path
from typing import NamedTuple

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
THREADS = 4
PYTHON = str(BENCH / ".venvs/service/bin/python")

SERVICE = "Tasklists"
PLAIN_DRF = "plain DRF"
LIMIT = "bare WSGI"


class Stack(NamedTuple):
    """A server's command, and before it one that makes its tables, both run in ``folder``.

    ``{port}`` in the command is where it listens on 127.0.0.1. ``conditional``
    stacks honour If-Match; one that ``answers_only`` has no lists.
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    prepare: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    table: str = "task_list"
    conditional: bool = False
    answers_only: bool = False


def service(name: str, folder: Path) -> Stack:
    """This service as the image starts it, from a checkout of its repository."""
    return Stack(
        name,
        folder,
        (PYTHON, "manage.py", "serve"),
        (PYTHON, "manage.py", "migrate", "--verbosity", "0"),
        {"WEB_CONCURRENCY": "1", "THREADS": str(THREADS), "PORT": "{port}"},
        table="tasklists_tasklist",
        conditional=True,
    )


def peer(folder: str) -> tuple[Path, str]:
    """Where a peer is, and where its virtual environment has its programs."""
    return BENCH / "peers" / folder, str(BENCH / ".venvs" / folder / "bin")


def gunicorn(programs: str, application: str) -> tuple[str, ...]:
    """The command for all but uvicorn and Flask, which log each request without being asked."""
    return (
        f"{programs}/gunicorn",
        "--bind=127.0.0.1:{port}",
        "--workers=1",
        f"--threads={THREADS}",
        "--access-logfile=-",
        application,
    )


def stacks() -> list[Stack]:
    flask, flask_programs = peer("flask")
    fastapi, fastapi_programs = peer("fastapi")
    drf, drf_programs = peer("drf")
    ninja, ninja_programs = peer("ninja")
    wsgi, wsgi_programs = peer("wsgi")
    uvicorn = (f"{fastapi_programs}/uvicorn", "--host=127.0.0.1", "--port={port}", "app:app")
    migrate = ("-m", "django", "migrate", "--run-syncdb", "--verbosity=0", "--settings=settings")
    return [
        service(SERVICE, ROOT),
        Stack(
            "Flask, development server",
            flask,
            (f"{flask_programs}/flask", "run", "--port={port}"),
        ),
        Stack("Flask, gunicorn", flask, gunicorn(flask_programs, "app:app")),
        Stack("FastAPI, uvicorn", fastapi, uvicorn),
        Stack(
            PLAIN_DRF,
            drf,
            gunicorn(drf_programs, "wsgi"),
            (f"{drf_programs}/python", *migrate),
            {"PYTHONPATH": "."},
        ),
        Stack(
            "Django Ninja",
            ninja,
            gunicorn(ninja_programs, "wsgi"),
            (f"{ninja_programs}/python", *migrate),
            {"PYTHONPATH": "."},
        ),
        Stack(LIMIT, wsgi, gunicorn(wsgi_programs, "app:app"), answers_only=True),
    ]
