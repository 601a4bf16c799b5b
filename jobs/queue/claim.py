"""What a worker asks for when it claims, and what it gets: the hand-over of `claim.sql`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jobs.attempt import Attempt


@dataclass(frozen=True, slots=True)
class Demand:
    """Who claims, what, and for how long.

    lowest, highest: the range of priorities. worker: a name for people. lease_seconds: how long
    the jobs are the worker's unless it renews. ageing_seconds: for each such time that it has
    waited a job counts one priority higher; 0: it does not.
    """

    lowest: int
    highest: int
    worker: str
    lease_seconds: float
    ageing_seconds: float = 0.0


class Position(NamedTuple):
    """A place in the line of one priority, as the database writes it."""

    queued_at: str
    job_id: str


PRIORITY = Attempt._fields.index("priority")
# Behind the fields of an Attempt. What a later release's function adds stands behind that: workers
# of this one still call it while they are replaced.
QUEUED_AT = len(Attempt._fields)
BEGINNING = Position("-infinity", "00000000-0000-0000-0000-000000000000")


def pack_positions(demand: Demand, after: Mapping[int, Position]) -> tuple[str, str]:
    """The arrays after_at and after_id of `claim.sql`; a priority not in `after` is wholly seen."""
    positions = [after.get(p, BEGINNING) for p in range(demand.highest, demand.lowest - 1, -1)]
    return (
        "{" + ",".join([position.queued_at for position in positions]) + "}",
        "{" + ",".join([position.job_id for position in positions]) + "}",
    )


def read_claimed(rows: list[list[Any]]) -> list[Attempt]:
    """What jobs_claim() returned, as attempts in running order."""
    return [Attempt(*row[:QUEUED_AT]) for row in rows]


def read_reached(rows: list[list[Any]]) -> dict[int, Position]:
    """The last position that was claimed of each priority."""
    return {row[PRIORITY]: Position(row[QUEUED_AT], row[0]) for row in rows}
