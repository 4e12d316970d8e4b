"""How gunicorn's arbiter sees that a worker is alive."""

import time
from typing import Any

from gunicorn.workers.workertmp import WorkerTmp

GAP = 5  # seconds; the arbiter looks once a second


class Heartbeat(WorkerTmp):  # type: ignore[misc]
    """gunicorn's heartbeat file, which tolerates that all processes are suspended.

    After ``docker pause``, SIGSTOP or a suspended machine the arbiter would find that no worker
    has given a sign for too long, and kill them all before they could. So when the arbiter has
    not looked for GAP seconds itself, the time until then does not count.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.looked = time.monotonic()
        self.excused = 0.0  # the time until which no sign is expected

    def last_update(self) -> float:
        """When the worker last gave a sign, by time.monotonic(); called by the arbiter."""
        now = time.monotonic()
        if now - self.looked > GAP:
            self.excused = now
        self.looked = now
        return max(float(super().last_update()), self.excused)
