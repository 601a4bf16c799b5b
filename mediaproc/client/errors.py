"""What a caller can be told: one family, MediaprocError, by what to do about it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediaproc.client.shapes import Batch, Job


class MediaprocError(Exception):
    """Any of the below."""


class Unreachable(MediaprocError):
    """No answer came within the client's patience, or it ended too early."""


class JobNotCompleted(MediaprocError):
    """The job ended as FAILED or CANCELLED. `job` tells why."""

    def __init__(self, job: "Job") -> None:
        said = (job.error_message or "").partition("\n")[0]
        why = f": {said} ({job.error_code})" if job.error_code else ""
        super().__init__(f"Job {job.id} is {job.status}{why}")
        self.job = job


class WaitTimedOut(MediaprocError):
    """The time given to wait is over; the job goes on. `job` is how it was last seen."""

    def __init__(self, job: "Job", seconds: float) -> None:
        super().__init__(f"Job {job.id} is still {job.status} after {seconds:g} s")
        self.job = job


class NothingSubmitted(MediaprocError):
    """No job was made of a batch. `batch` says what is wrong with which rows."""

    def __init__(self, batch: "Batch") -> None:
        first = batch.errors[0] if batch.errors else {}
        why = f": row {first['row']}, {first['field']}: {first['detail']}" if first else ""
        super().__init__(f"{batch.rejected} of {batch.total} rows are not valid{why}")
        self.batch = batch


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field; `field` is None when it is about the body as a whole."""

    field: str | None
    code: str
    detail: str


class ApiError(MediaprocError):
    """The service refused. `code` is stable, `detail` is for people, `request_id` is in its logs.

    `document` is the whole problem document (RFC 9457), with members of some errors alone.
    """

    def __init__(
        self, status: int, document: dict[str, Any], *, request_id: str, retry_after: float | None
    ) -> None:
        self.status = status
        self.code = str(document.get("code", ""))
        self.detail = str(document.get("detail", ""))
        self.errors = [
            FieldError(error.get("field"), error.get("code", ""), error.get("detail", ""))
            for error in document.get("errors", [])
        ]
        self.request_id = request_id
        self.retry_after = retry_after
        self.document = document
        super().__init__(self._text())

    def _text(self) -> str:
        fields = [f"{error.field or 'body'}: {error.detail}" for error in self.errors]
        said = " ".join([self.detail, *fields]).strip()
        return f"{self.status} {self.code}: {said}" if self.code else f"{self.status}: {said}"


class BadRequest(ApiError):
    """400, 413, 415, 422: the request itself is wrong; `errors` names the fields."""


class NotAuthenticated(ApiError):
    """401: there is no token, or it is not valid (any more)."""


class Forbidden(ApiError):
    """403: the token's scopes do not reach so far."""


class NotFound(ApiError):
    """404, 410: there is no such thing, it is somebody else's, or it is gone."""


class Conflict(ApiError):
    """409, 412: not in the state that it is in. Of a job, `job_status` is that state."""

    @property
    def job_status(self) -> str | None:
        """What the job is, where the conflict is about that."""
        return self.document.get("job_status")


class TooManyRequests(ApiError):
    """429: a limit is reached for longer than the client's patience; see `retry_after`."""


class ServerError(ApiError):
    """5xx: the service failed, or was not there for longer than the client's patience."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: NotAuthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    429: TooManyRequests,
}


def kind_of(status: int) -> type[ApiError]:
    """The exception for a status from 300 on."""
    return _BY_STATUS.get(status, ServerError if status >= 500 else BadRequest)  # noqa: PLR2004
