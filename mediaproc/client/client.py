"""The client: a method an operation."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mediaproc.client.account import Account
from mediaproc.client.bar import progress_bar
from mediaproc.client.batches import Batches
from mediaproc.client.creating import body, create, segment
from mediaproc.client.download import download
from mediaproc.client.errors import Conflict, JobNotCompleted
from mediaproc.client.schedules import Schedules
from mediaproc.client.shapes import Attempt, Event, Job, JobType
from mediaproc.client.transport import Transport
from mediaproc.client.watching import watched
from mediaproc.client.webhooks import Webhooks


class Client:
    """One service, one account. Threads may share it; as a context manager it closes itself.

    url: of the service, with or without /api/v1. timeout: seconds for one answer. patience: for how
    many seconds a request is repeated while there is no connection, a limit is reached or the
    service is not available; a repeated submission makes no second job. Every method raises
    MediaprocError: Unreachable when patience ended without an answer, ApiError when the service
    refused.
    """

    def __init__(
        self, url: str, token: str | None = None, *, timeout: float = 30.0, patience: float = 60.0
    ) -> None:
        self._transport = Transport(url, token, timeout=timeout, patience=patience)
        self.account = Account(self._transport)
        self.batches = Batches(self._transport)
        self.schedules = Schedules(self._transport)
        self.webhooks = Webhooks(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._transport.close()

    def submit(
        self,
        source_file: str = "",
        target_format: str = "",
        *,
        job_type: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        name: str = "",
        priority: int | str | None = None,
        max_retries: int | None = None,
        scheduled_at: datetime | None = None,
        metadata: Mapping[str, Any] | None = None,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        **more: Any,
    ) -> Job:
        """A new job. What is left out is as the service has it; `more` are further fields of POST
        jobs. An `idempotency_key` of your own keeps a second call from making a second job."""
        fields = body(
            source_file=source_file or None,
            target_format=target_format or None,
            job_type=job_type,
            parameters=parameters,
            name=name or None,
            priority=priority,
            max_retries=max_retries,
            scheduled_at=scheduled_at,
            metadata=metadata,
            callback_url=callback_url,
            **more,
        )
        return Job.read(create(self._transport, "jobs", fields, key=idempotency_key))

    def get(self, job: Job | str) -> Job:
        """The job as it is now."""
        return Job.read(self._transport.ask("GET", _address(job)))

    def list(self, **filters: Any) -> Iterator[Job]:
        """Jobs that fit all filters (status, job_type, priority, created_from, ...), newest first.
        Pages are asked for as they are needed; `limit` is how many a page has."""
        for page in self._transport.pages("jobs", body(**filters)):
            yield from map(Job.read, page["results"])

    def wait(
        self,
        job: Job | str,
        timeout: float | None = None,
        on_progress: Callable[[Job], None] | None = None,
    ) -> Job:
        """The job once it is final, however it ended. `on_progress` is called with the job whenever
        it has changed. Raises WaitTimedOut after `timeout` seconds."""
        return watched(self._transport, _address(job), timeout, on_progress)

    def submit_and_wait(
        self,
        source_file: str = "",
        target_format: str = "",
        *,
        timeout: float | None = None,
        progress: bool = False,
        **job: Any,
    ) -> Job:
        """Submit and wait. progress: show a bar, where standard error is a terminal. Raises
        JobNotCompleted when the job fails or is cancelled, WaitTimedOut."""
        submitted = self.submit(source_file, target_format, **job)
        with progress_bar(submitted, shown=progress) as show:
            final = self.wait(submitted, timeout, show)
        if final.status != "COMPLETED":
            raise JobNotCompleted(final)
        return final

    def cancel(self, job: Job | str) -> Job:
        """Cancel it. A running job is CANCELLED only once its worker has stopped: wait for it.
        Raises Conflict for a job that is COMPLETED or FAILED."""
        try:
            return Job.read(self._transport.ask("POST", f"{_address(job)}/cancel"))
        except Conflict as error:
            if error.job_status != "CANCELLED":
                raise
            return self.get(job)

    def remove(self, job: Job | str) -> None:
        """Remove a job and its outputs, which is for good; one that is not final is cancelled."""
        # Twice would first cancel and then remove.
        self._transport.request("DELETE", _address(job), again=False)

    def retry(self, job: Job | str) -> Job:
        """Queue the same FAILED or CANCELLED job again."""
        return Job.read(self._transport.ask("POST", f"{_address(job)}/retry"))

    def replay(self, job: Job | str) -> Job:
        """A new job like this final one."""
        return Job.read(create(self._transport, f"{_address(job)}/replay"))

    def events(self, job: Job | str) -> Iterator[Event]:
        """What happened to it, in order. Pages are asked for as they are needed."""
        for page in self._transport.pages(f"{_address(job)}/events"):
            yield from map(Event.read, page["events"])

    def attempts(self, job: Job | str) -> Iterator[Attempt]:
        """The attempts at it, in order, likewise."""
        for page in self._transport.pages(f"{_address(job)}/events"):
            yield from map(Attempt.read, page["attempts"])

    def output(self, job: Job | str, path: Path | str) -> Path:
        """Download the output of a COMPLETED job to a file, or to its own name in a folder; returns
        where. A download that broke off goes on where it was, also in a later call."""
        return download(self._transport, f"{_address(job)}/output", Path(path))

    def types(self) -> dict[str, JobType]:
        """The job types by name, and what each wants."""
        found = self._transport.ask("GET", "jobs/types")["results"]
        return {one["job_type"]: JobType.read(one) for one in found}


def _address(job: Job | str) -> str:
    return f"jobs/{segment(job.id if isinstance(job, Job) else job)}"
