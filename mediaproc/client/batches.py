"""Many jobs at once."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mediaproc.client.creating import body, idempotent, segment
from mediaproc.client.errors import BadRequest, JobNotCompleted, NothingSubmitted
from mediaproc.client.shapes import Batch, Job
from mediaproc.client.transport import Transport
from mediaproc.client.watching import watched

_INVALID = "invalid_rows"


class Batches:
    """Batches of jobs. All of them are submitted or, with an invalid one among them, none; with
    `partial` every valid one."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def submit(
        self,
        jobs: Iterable[Mapping[str, Any]],
        *,
        partial: bool = False,
        timeout: float | None = None,
        on_progress: Callable[[Job], None] | None = None,
    ) -> Batch:
        """A job of each of `jobs`, which have the fields of POST jobs.

        The service reads a large batch in the background. Then this waits for the job that does so,
        at most `timeout` seconds; `on_progress` is called with that job. Raises NothingSubmitted,
        which says what is wrong with which rows; WaitTimedOut.
        """
        rows = [body(**job) for job in jobs]
        return self._submit({"json": rows}, partial, timeout, on_progress)

    def submit_table(
        self,
        path: Path | str,
        *,
        partial: bool = False,
        timeout: float | None = None,
        on_progress: Callable[[Job], None] | None = None,
    ) -> Batch:
        """A job of each line of a CSV file, whose first line names the fields. As `submit`."""
        sent = {"content": Path(path).read_bytes(), "headers": {"Content-Type": "text/csv"}}
        return self._submit(sent, partial, timeout, on_progress)

    def cancel(self, batch: Batch | str) -> int:
        """Cancel what is not final of it; how many jobs that were."""
        name = segment(batch.batch if isinstance(batch, Batch) else batch)
        return int(self._transport.ask("POST", f"jobs/batch/{name}/cancel")["cancelled"])

    def _submit(
        self,
        sent: dict[str, Any],
        partial: bool,
        timeout: float | None,
        on_progress: Callable[[Job], None] | None,
    ) -> Batch:
        sent["headers"] = {**sent.get("headers", {}), **idempotent()}
        sent["params"] = {"partial": "true"} if partial else {}
        try:
            told = self._transport.ask("POST", "jobs/batch", **sent)
        except BadRequest as error:
            if error.code != _INVALID:
                raise
            raise NothingSubmitted(Batch.read({"batch": "", **error.document})) from error
        if "accepted" in told:
            return Batch.read(told)
        return self._wait(told["batch"], timeout, on_progress)

    def _wait(
        self, batch: str, timeout: float | None, on_progress: Callable[[Job], None] | None
    ) -> Batch:
        """Until the job that makes the jobs is final."""
        job = watched(self._transport, f"jobs/{segment(batch)}", timeout, on_progress)
        if job.status != "COMPLETED":
            raise JobNotCompleted(job)
        made = Batch.read({"batch": batch, **job.result})
        if not made.accepted:
            raise NothingSubmitted(made)
        return made
