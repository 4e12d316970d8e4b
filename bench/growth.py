"""The time of a page as the table grows."""

from contextlib import ExitStack
from statistics import median

from bench.databases import Databases, fill
from bench.load import load
from bench.server import Server
from bench.stacks import PLAIN_DRF, SERVICE, stacks

PAGE = 100


def pages(stack: str, rows: int) -> dict[str, str]:
    """The paths of the first and the last page of a hundred lists."""
    last = f"?after={rows - PAGE}" if stack == SERVICE else f"?page={rows // PAGE}"
    return {"first": "/lists", "last": f"/lists{last}"}


def measure(
    available: Databases, sizes: list[int], rounds: int, core: int
) -> dict[tuple[str, int, str], float]:
    """Milliseconds by stack, size and page: the median over the rounds of one client's median."""
    samples: dict[tuple[str, int, str], list[float]] = {}
    compared = [stack for stack in stacks() if stack.name in (SERVICE, PLAIN_DRF)]
    with ExitStack() as running:
        servers = []
        for number, stack in enumerate(compared):
            for size in sizes:
                url = available.make(f"growth_{number}_{size}")
                server = running.enter_context(Server(stack, url, core))
                fill(url, stack, size)
                servers.append((server, size))
        for _ in range(rounds):
            for server, size in servers:
                for page, path in pages(server.stack.name, size).items():
                    sample = load(server.url, "path", path, 1, 1)
                    if sample.failures:
                        raise RuntimeError(f"{server.stack.name} fails at {path} of {size} lists")
                    key = (server.stack.name, size, page)
                    samples.setdefault(key, []).append(sample.median)
    return {key: median(values) for key, values in samples.items()}
