"""What is compared: each stack as its documentation has it served, by one process."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from bench.load import WORKLOADS, Workload

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
THREADS = 4
PYTHON = str(BENCH / ".venvs/service/bin/python")

SERVICE = "Tasklists"
PLAIN_DRF = "plain DRF"
LIMIT = "bare WSGI"


class Stack(NamedTuple):
    """A server's command, and before it one that makes its tables, both run in ``folder``.

    ``{port}`` in the command is the port on 127.0.0.1 where it listens. ``lists`` and
    ``tasks`` are the tables' names; a stack without ``tasks`` serves lists alone. Stacks
    that are ``conditional`` honour If-Match. One that ``answers_only`` has no tables.
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    prepare: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    lists: str = "task_list"
    tasks: str = "task"
    conditional: bool = False
    answers_only: bool = False

    def serves(self, workload: Workload) -> bool:
        """Whether it is measured with this workload."""
        if self.answers_only:  # the same whatever it is asked
            return workload == WORKLOADS[0]
        return bool(self.tasks) or not workload.with_tasks


def service(name: str, folder: Path) -> Stack:
    """This service as the image starts it, from a checkout of its repository."""
    has_tasks = "class Task(" in (folder / "tasklists/models.py").read_text()
    return Stack(
        name,
        folder,
        (PYTHON, "manage.py", "serve"),
        (PYTHON, "manage.py", "migrate", "--verbosity", "0"),
        {"WEB_CONCURRENCY": "1", "THREADS": str(THREADS), "PORT": "{port}"},
        lists="tasklists_tasklist",
        tasks="tasklists_task" if has_tasks else "",
        conditional=True,
    )


def beside(folder: Path) -> Stack:
    """This service from another checkout, which its commit names."""
    git = ("git", "-C", str(folder), "rev-parse", "--short", "HEAD")
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    return service(f"{SERVICE}, {commit or folder.name}", folder)


def peer(folder: str) -> tuple[Path, str]:
    """Where a peer is, and where its virtual environment has its programs."""
    return BENCH / "peers" / folder, str(BENCH / ".venvs" / folder / "bin")


def gunicorn(programs: str, application: str) -> tuple[str, ...]:
    """The command of most WSGI stacks, with an access log, which uvicorn and Flask have anyway."""
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
    tuned_drf, tuned_drf_programs = peer("tuned_drf")
    wsgi, wsgi_programs = peer("wsgi")
    _, granian_programs = peer("granian")
    uvicorn = (f"{fastapi_programs}/uvicorn", "--host=127.0.0.1", "--port={port}", "app:app")
    migrate = ("-m", "django", "migrate", "--run-syncdb", "--verbosity=0", "--settings=settings")
    tasklists = service(SERVICE, ROOT)
    granian = (
        f"{granian_programs}/granian",
        *("--interface=wsgi", "--workers=1", f"--blocking-threads={THREADS}"),
        *("--host=127.0.0.1", "--port={port}", "--access-log", "server.wsgi:application"),
    )
    return [
        tasklists,
        tasklists._replace(name="Tasklists, granian", command=granian),
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
            "tuned DRF",
            tuned_drf,
            gunicorn(tuned_drf_programs, "wsgi"),
            (f"{tuned_drf_programs}/python", *migrate),
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
