"""What one worker process tells all others when it has looked after all jobs."""

from collections.abc import Collection
from dataclasses import dataclass

# Also how a payload begins. Versions that do not know it find no priority in it and do nothing.
_WORD = "looked"


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
    """What a signal carried; None when it is about something else."""
    word, _, rest = payload.partition(" ")
    if word != _WORD:
        return None
    seconds, *priorities = rest.split()
    return Looked(float(seconds), [int(part) for part in priorities])
