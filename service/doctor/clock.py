"""Do the clocks of this process and of the database agree?"""

import time

from service.doctor.examination import Examination, on_postgresql
from service.doctor.registry import Outcome, check, error, ok, warning

# Seconds. Logins and sessions are compared with times that another machine has written.
TOLERATED = 2
WRONG = 60


@check("clock.difference", needs=["service.E013"], applies=on_postgresql)
def difference(examination: Examination) -> Outcome:
    before = time.time()
    [there] = examination.database.one("SELECT extract(epoch FROM clock_timestamp())::float8")
    after = time.time()
    return judge((before + after) / 2 - there, (after - before) / 2)


def judge(ahead: float, uncertainty: float) -> Outcome:
    """``ahead`` is by how many seconds this clock is ahead of the database's."""
    distance = max(0, abs(ahead) - uncertainty)
    if distance < TOLERATED:
        return ok(f"{distance:.1f} s between this clock and the database's")
    direction = "ahead of" if ahead > 0 else "behind"
    fact = f"this clock is {distance:.0f} s {direction} the database's"
    fix = "sudo timedatectl set-ntp true   # on the machine whose `date -u` is wrong"
    return error(fact, fix) if distance >= WRONG else warning(fact, fix)
