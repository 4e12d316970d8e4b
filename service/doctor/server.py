"""Is the service's port free, or who has it?"""

import errno
import http.client
from pathlib import Path

from django.conf import settings

from service.doctor.examination import Examination
from service.doctor.registry import Outcome, check, error, ok
from service.listening import refusal

TIMEOUT = 1.5  # seconds for an answer
LISTEN = "0A"  # the state in /proc/net/tcp
PROC = Path("/proc")


@check("server.port", needs=["configuration.variables"])
def port(examination: Examination) -> Outcome:
    status = get("/health/live")
    examination.answers = status == 200
    if examination.answers:
        return ok(f"the service answers on port {settings.PORT}")
    return judge(examination, "PORT", settings.PORT, status)


@check(
    "server.metrics_port",
    needs=["configuration.variables", "service.E014"],
    applies=lambda _: bool(settings.METRICS_PORT),
)
def metrics_port(examination: Examination) -> Outcome:
    if examination.answers and get("/metrics", settings.METRICS_PORT) == 200:
        return ok(f"the metrics are on port {settings.METRICS_PORT}")
    return judge(examination, "METRICS_PORT", settings.METRICS_PORT, None)


def get(path: str, port: int | None = None) -> int | None:
    """The status of a response from this machine, or None if nobody speaks HTTP there."""
    host = settings.HOST if settings.HOST not in ("", "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    connection = http.client.HTTPConnection(host, port or settings.PORT, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def judge(examination: Examination, variable: str, number: int, status: int | None) -> Outcome:
    """Whether the service could listen on a port where it does not answer."""
    reason = refusal(settings.HOST, number)
    if reason is None:
        return ok(f"port {number} is free; the service does not run here")
    if reason.errno != errno.EADDRINUSE:
        address = f"port {number} of {settings.HOST}" if settings.HOST else f"port {number}"
        fact = f"cannot listen on {address}: {reason.strerror}"
        name = "HOST" if reason.errno == errno.EADDRNOTAVAIL else variable
        return error(fact, another_address(examination, name, number))
    answer = f", which answers {status}" if status else ""
    fact = f"{owner(number)} has port {number}{answer}"
    return error(fact, another_address(examination, variable, number))


def another_address(examination: Examination, variable: str, number: int) -> str:
    """The command that makes the service listen where it can."""
    if variable == "HOST":
        return examination.place.unset("HOST")
    start = number + 1 if number >= 1024 else 5000
    free = (each for each in range(start, 65536) if refusal(settings.HOST, each) is None)
    return examination.place.set(variable, str(next(free, start)))


def owner(number: int) -> str:
    """The process that listens on a port. Only root may look at processes of other users."""
    sockets = {f"socket:[{inode}]" for inode in listening(number)}
    for process in PROC.glob("[0-9]*"):
        try:
            if sockets & {str(file.readlink()) for file in (process / "fd").iterdir()}:
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                shown = command.decode(errors="replace").strip()
                return f"process {process.name} ({shown[:80]})"
        except OSError:
            continue
    return "another program, which cannot be seen from here,"


def listening(number: int) -> set[str]:
    """The inodes of the sockets that listen on a port, of this network namespace."""
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == LISTEN and int(fields[1].rpartition(":")[2], 16) == number:
                found.add(fields[9])
    return found
