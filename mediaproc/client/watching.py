"""Look at a job until it is final."""

import time
from collections.abc import Iterator

from mediaproc.client.errors import WaitTimedOut
from mediaproc.client.shapes import Job
from mediaproc.client.transport import Transport

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.1, 3.0, 1.3


def watch(transport: Transport, path: str, timeout: float | None) -> Iterator[Job]:
    """The job now, and again whenever it has changed; the last one is final. Raises WaitTimedOut.

    Asks rarely while nothing changes, and then an unchanged job costs the service next to nothing:
    304 by its ETag.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    pause = FIRST_PAUSE
    job, etag = None, ""
    while True:
        answer = transport.request("GET", path, headers={"If-None-Match": etag} if etag else None)
        if answer.status_code != 304:  # noqa: PLR2004
            etag = answer.headers.get("ETag", "")
            now = Job.read(answer.json())
            if now != job:
                job, pause = now, FIRST_PAUSE
                yield job
        assert job is not None  # noqa: S101 - 304 answers an ETag only
        if job.is_final:
            return
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WaitTimedOut(job, timeout or 0.0)
            pause = min(pause, left)
        time.sleep(pause)
        pause = min(pause * GROWTH, LONGEST_PAUSE)
