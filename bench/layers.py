"""Where the time goes: the same load on paths that reach ever further into the service."""

from contextlib import ExitStack
from statistics import median

from bench.databases import Databases, fill
from bench.load import load
from bench.server import Server
from bench.stacks import LIMIT, PYTHON, ROOT, SERVICE, Stack, peer, service, stacks

WORKER = "our worker"
LAYERS = {
    "gunicorn's worker, and an application that does nothing": (LIMIT, "/lists"),
    "our worker instead, with the access log in JSON": (WORKER, "/lists"),
    "Django's request": (SERVICE, "/health/live"),
    "every middleware, and a path that leads nowhere": (SERVICE, "/nothing"),
    "DRF's view and the query of one list": (SERVICE, "/lists/1"),
    "a page of 100 lists instead": (SERVICE, "/lists"),
}
CONNECTIONS = 8
SECONDS = 2


def layered() -> list[Stack]:
    """What the layers are measured in; the service also logs health checks that pass."""
    [limit] = [stack for stack in stacks() if stack.name == LIMIT]
    whole = service(SERVICE, ROOT)
    whole = whole._replace(environment=whole.environment | {"LOG_LEVEL": "debug"})
    application, _ = peer("wsgi")
    command = (PYTHON, "-m", "gunicorn", "--config", "server/gunicorn.conf.py")
    worker = whole._replace(
        name=WORKER,
        command=(*command, f"--pythonpath={application}", "app:app"),
        prepare=(),
        answers_only=True,
    )
    return [limit, worker, whole]


def measure(available: Databases, rounds: int, core: int) -> dict[str, float]:
    """Microseconds of processor time for a request, by layer with all before it; medians."""
    samples: dict[str, list[float]] = {layer: [] for layer in LAYERS}
    with ExitStack() as running:
        servers = {}
        for number, stack in enumerate(layered()):
            url = available.make(f"layers_{number}")
            servers[stack.name] = running.enter_context(Server(stack, url, core))
            if not stack.answers_only:
                fill(url, stack, 100)
        for _ in range(rounds):
            for layer, (name, path) in LAYERS.items():
                server = servers[name]
                before = server.processor_seconds()
                sample = load(server.url, "path", path, CONNECTIONS, SECONDS)
                used = server.processor_seconds() - before
                samples[layer].append(used / (sample.requests_per_second * SECONDS) * 1e6)
    return {layer: median(values) for layer, values in samples.items()}
