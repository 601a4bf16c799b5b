"""The job type that makes jobs of a large batch, in the background."""

from typing import Any

from django.db import transaction

from accounts.models import plans_of
from accounts.plans import UNLIMITED
from jobs.api.batch_report import InvalidRows, Report
from jobs.models import Job
from jobs.outcomes import Completed, Failed, Interrupted, Outcome, Snooze
from jobs.processors.contract import Context, LeaseLost
from jobs.processors.declaration import processor
from jobs.processors.meter import Meter
from jobs.processors.parameters import Declared
from jobs.queue import batches, checkpoint
from jobs.queue.limits import TooManySubmissions

JOB_TYPE = "batch_import"


class BatchParameters(Declared):
    """What POST jobs/batch was given."""

    media_type: str
    size: int
    partial: bool


class Stopped(Exception):
    """The worker wants the thread back."""


@processor(JOB_TYPE, parameters=BatchParameters, internal=True)
def batch_import(context: Context, parameters: BatchParameters) -> Outcome:
    """Make jobs of the rows of a large batch.

    `POST jobs/batch` submits it. The jobs are there all at once, when it is done; the result is the
    report.
    """
    from rest_framework.exceptions import ParseError

    meter = Meter()
    job_id = context.attempt.job_id
    # An attempt before this one may have died after its commit.
    result = context.checkpoint()
    if result is None:
        try:
            result = _import(context, parameters)
        except Stopped:
            return Interrupted()
        except InvalidRows as refused:
            result = refused.report.as_json()
        except ParseError as error:
            batches.forget(job_id)
            return Failed(str(error.detail), code=str(error.get_codes()))
        except TooManySubmissions as error:
            if error.ever:
                return Snooze(error.retry_after, str(error))
            batches.forget(job_id)
            return Failed(str(error), code="too_many_submissions")
    batches.forget(job_id)
    return Completed(meter.metrics(), result=result)


def _import(context: Context, parameters: BatchParameters) -> dict[str, Any]:
    """The report, kept in the transaction that makes the jobs: so they are made once."""
    from jobs.api.batch_items import import_rows

    attempt = context.attempt
    read = 0

    def pieces() -> Any:
        nonlocal read
        for piece in batches.kept(attempt.job_id):
            read += len(piece)
            yield piece

    def went_on(report: Report) -> None:
        if context.stopped():
            raise Stopped
        context.report(read / max(parameters.size, 1), f"{report.total} rows")

    owner_id: int | None = Job.objects.only("owner").get(id=attempt.job_id).owner_id
    with transaction.atomic():
        report = import_rows(
            parameters.media_type,
            pieces(),
            attempt.job_id,
            owner_id,
            UNLIMITED if owner_id is None else plans_of([owner_id])[owner_id],
            partial=parameters.partial,
            went_on=went_on,
        )
        # Locks the job's row: who cancels it, or takes it over, comes before this or after the
        # commit.
        if not checkpoint.save(attempt, report.as_json(), {}):
            raise LeaseLost
        if Job.objects.filter(id=attempt.job_id, cancel_requested=True).exists():
            raise Stopped
    return report.as_json()
