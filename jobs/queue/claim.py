"""What a worker asks for when it claims, and what it gets: the hand-over of `claim.sql`."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from jobs.attempt import Attempt


@dataclass(frozen=True, slots=True)
class Demand:
    """Who claims, what, and for how long.

    lowest, highest: the range of priorities. worker: a name for people. lease_seconds: how long
    the jobs are the worker's unless it renews.
    """

    lowest: int
    highest: int
    worker: str
    lease_seconds: float


def read_claimed(rows: list[list[Any]] | None) -> list[Attempt]:
    """What jobs_claim() returned, as attempts in running order."""
    return [Attempt(UUID(row[0]), *row[1:]) for row in rows or ()]
