"""What cannot be done to a job, and why."""

from uuid import UUID

from jobs.states import Status


class NoSuchJob(Exception):
    """There is no job with this id."""

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"There is no job {job_id}.")
        self.job_id = job_id


class AlreadyFinal(Exception):
    """The job has ended, so it cannot be cancelled. status: how it stands."""

    def __init__(self, status: Status) -> None:
        super().__init__(f"The job is {status} already.")
        self.status = status


class NoSuchPool(Exception):
    """POOLS names no such pool."""

    def __init__(self, pool: str) -> None:
        super().__init__(f"There is no pool {pool!r} in POOLS.")
        self.pool = pool
