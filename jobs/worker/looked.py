"""What one worker process tells all others when it has looked after all jobs."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from jobs.priorities import HIGHEST, LOWEST

# Also how a payload begins. Versions that do not know it find no priority in it and do nothing.
_WORD = "looked"
_PAYLOAD = re.compile(rf"{_WORD} (\d{{1,6}}\.\d{{3}}) ((?:\d{{1,2}}(?: |$))*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Looked:
    """rest: for how many seconds nobody needs to look for lost leases. waiting: the priorities of
    jobs that were queued and that every process is to look for."""

    rest: float = 0.0
    waiting: Collection[int] = ()

    def payload(self) -> str:
        """As a signal carries it."""
        priorities = " ".join(str(priority) for priority in sorted(self.waiting))
        return f"{_WORD} {self.rest:.3f} {priorities}"


def read_looked(payload: str) -> Looked | None:
    """What a signal carried; None when it is about something else, or not as `payload` makes it:
    whoever may connect to the database may send one."""
    told = _PAYLOAD.fullmatch(payload)
    if told is None:
        return None
    waiting = [int(part) for part in told[2].split()]
    if not all(LOWEST <= priority <= HIGHEST for priority in waiting):
        return None
    return Looked(float(told[1]), waiting)
