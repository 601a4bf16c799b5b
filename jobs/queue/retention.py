"""How long ended jobs are kept, by status and type, as JOB_RETENTION says it.

`completed=30d,failed=90d,send_email:completed=7d`: status=time, or type:status=time for one type.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jobs.states import FINAL, Status

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
DEFAULTS = {
    Status.COMPLETED: 30 * 86_400,
    Status.FAILED: 90 * 86_400,
    Status.CANCELLED: 30 * 86_400,
}
LONGEST = 100 * 365 * 86_400
EVERY_TYPE = ""

_ENTRY = re.compile(
    r"(?:(?P<type>[\w.-]{1,50}):)?(?P<status>[a-z]+)=(?:(?P<number>\d{1,9})(?P<unit>[smhdw])|never|0)"
)


@dataclass(frozen=True, slots=True)
class Retention:
    """Seconds to keep a job after its end, by type and status; None: for ever. The type "" stands
    for all that have no entry of their own."""

    seconds: Mapping[tuple[str, Status], int | None]

    def shortest(self, *statuses: Status) -> int | None:
        """The shortest time of any type for these; None when all are kept for ever."""
        times = [
            time
            for (_, status), time in self.seconds.items()
            if status in statuses and time is not None
        ]
        return min(times, default=None)


def parse_retention(text: str) -> Retention:
    """Read JOB_RETENTION; a status that is not named keeps its default.

    Raises ValueError with a message for people.
    """
    seconds: dict[tuple[str, Status], int | None] = {}
    for entry in (part.strip() for part in text.split(",") if part.strip()):
        key, time = _parse_entry(entry)
        if key in seconds:
            raise ValueError(f"JOB_RETENTION says {entry.partition('=')[0]!r} twice")
        seconds[key] = time
    return Retention({(EVERY_TYPE, status): time for status, time in DEFAULTS.items()} | seconds)


def _parse_entry(entry: str) -> tuple[tuple[str, Status], int | None]:
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise ValueError(
            f"JOB_RETENTION entry {entry!r} is not status=time or type:status=time with a time like"
            " 30d, 12h or never, for example completed=30d,send_email:completed=7d"
        )
    final = {status.value.lower(): status for status in FINAL}
    if match["status"] not in final:
        raise ValueError(
            f"JOB_RETENTION entry {entry!r}: the status is one of {', '.join(sorted(final))}"
        )
    number = int(match["number"] or 0) * SECONDS[match["unit"] or "s"]
    if number > LONGEST:
        raise ValueError(f"JOB_RETENTION entry {entry!r}: say never for more than 100 years")
    return (match["type"] or EVERY_TYPE, final[match["status"]]), number or None
