"""Why the queue does not do what was asked of it. The text is for people."""

from uuid import UUID

from jobs.states import Status


class QueueError(Exception):
    """What was asked cannot be done to this job."""


class NoSuchJob(QueueError):
    """There is no job with this id."""

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"There is no job {job_id}.")
        self.job_id = job_id


class WrongStatus(QueueError):
    """The job's status does not allow it. code: stable, for machines."""

    code = ""
    needs = ""

    def __init__(self, status: Status) -> None:
        super().__init__(f"The job is {status}; {self.needs}.")
        self.status = status


class AlreadyFinal(WrongStatus):
    """Only a job that is not final can be cancelled."""

    code = "already_final"
    needs = "only a job that is not final can be cancelled"


class NotRetriable(WrongStatus):
    """Only a FAILED or CANCELLED job can be retried."""

    code = "not_retriable"
    needs = "only a FAILED or CANCELLED job can be retried"


class NotFinal(WrongStatus):
    """Only a final job can be replayed."""

    code = "not_final"
    needs = "only a final job can be replayed"
