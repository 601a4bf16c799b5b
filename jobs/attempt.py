"""One attempt at a job, as a value: what a claim gives, and what a processor works on."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID


class Attempt(NamedTuple):
    """The fields stand in the order in which `jobs_claim()` returns them.

    id: the job's, as text.
    soft_limit_seconds, hard_limit_seconds: the job's own; None leaves them to its type.
    lease: unique to this attempt among all attempts of all jobs; put it into the names of what you
    write, so that a worker that lost the job cannot overwrite the work of the one that has it.
    number: counts from 1.
    """

    id: str
    lease: int
    number: int
    max_attempts: int
    job_type: str
    source_file: str
    target_format: str
    priority: int
    parameters: Mapping[str, Any]
    soft_limit_seconds: float | None = None
    hard_limit_seconds: float | None = None

    @property
    def job_id(self) -> UUID:
        """The job's id. Made when it is asked for: short jobs never do."""
        return UUID(self.id)
