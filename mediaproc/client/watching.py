"""Look at a job until it is final."""

import math
import time
from collections.abc import Callable, Iterator

import httpx

from mediaproc.client.errors import WaitTimedOut
from mediaproc.client.shapes import Job
from mediaproc.client.transport import Transport

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.1, 2.0, 1.3


def watched(
    transport: Transport,
    path: str,
    timeout: float | None,
    on_progress: Callable[[Job], None] | None,
) -> Job:
    """The job once it is final. `on_progress` is called with it now and whenever it has changed.
    Raises WaitTimedOut."""
    for job in _changes(transport, path, timeout):
        if on_progress is not None:
            on_progress(job)
        if job.is_final:
            return job
    raise AssertionError("the last one is final")


def _changes(transport: Transport, path: str, timeout: float | None) -> Iterator[Job]:
    """The job now, and again whenever it has changed; the last one is final.

    Asks less and less often while its status stays, and with the ETag: a job that has not changed
    costs the service next to nothing.
    """
    end = math.inf if timeout is None else time.monotonic() + timeout
    pause = FIRST_PAUSE
    job: Job | None = None
    headers: dict[str, str] = {}
    while True:
        patience = min(transport.patience, max(0.0, end - time.monotonic()))
        answer = transport.request("GET", path, headers=headers, patience=patience)
        if answer.status_code != httpx.codes.NOT_MODIFIED:
            headers = {"If-None-Match": answer.headers["ETag"]} if "ETag" in answer.headers else {}
            now = Job.read(answer.json())
            if job is None or now.status != job.status:
                pause = FIRST_PAUSE
            if now != job:
                job = now
                yield job
        assert job is not None  # noqa: S101 - 304 answers an ETag only
        if job.is_final:
            return
        left = end - time.monotonic()
        if left <= 0:
            raise WaitTimedOut(job, timeout or 0.0)
        time.sleep(min(pause, left))
        pause = min(pause * GROWTH, LONGEST_PAUSE)
