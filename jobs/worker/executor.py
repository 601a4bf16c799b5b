"""Run one attempt: from a claimed job to an Outcome, whatever the processor does."""

import json
import time
from collections.abc import Mapping

import structlog
from django.conf import settings

from jobs.outcomes import Backoff, Completed, Failed, Outcome, Retry
from jobs.processors.declaration import Processor
from jobs.worker.leases import Execution
from jobs.worker.log_context import running

MAX_RESULT_BYTES = 65_536

log = structlog.get_logger(__name__)


def execute(execution: Execution, processors: Mapping[str, Processor], *, quiet: bool) -> Outcome:
    """Run the attempt. Never raises: an exception of the processor is a Retry, sys.exit() too.

    quiet: log nothing but trouble; for jobs so short that they come in chunks.
    """
    attempt = execution.attempt
    processor = processors.get(attempt.job_type)
    running.attempt = attempt
    try:
        if processor is None:
            return Failed(
                f"This worker knows no job type {attempt.job_type!r}.", code="unknown_job_type"
            )
        if quiet:
            outcome = _run(processor, execution)
            if not isinstance(outcome, Completed):
                _log_end(outcome)
            return outcome
        started = time.monotonic()
        log.info("job.started", job_type=attempt.job_type)
        outcome = _run(processor, execution)
        _log_end(outcome, seconds=round(time.monotonic() - started, 3))
        return outcome
    finally:
        running.attempt = None


def _log_end(outcome: Outcome, **details: float) -> None:
    error = {"error": outcome.error} if isinstance(outcome, Retry | Failed) else {}
    log.info("job.ended", outcome=type(outcome).__name__.lower(), **details, **error)


def _run(processor: Processor, execution: Execution) -> Outcome:
    try:
        outcome = processor.run(execution)
    except BaseException as error:  # SystemExit would end the thread and keep its lease for ever
        log.exception("job.raised")
        outcome = Retry(f"{type(error).__name__}: {error}", code="exception")
    if isinstance(outcome, Completed) and outcome.result and not _storable(outcome):
        return Failed(
            f"The result is not JSON of at most {MAX_RESULT_BYTES} bytes that PostgreSQL can hold.",
            code="bad_result",
        )
    if isinstance(outcome, Retry) and outcome.backoff is None:
        policy = processor.retry_policy.backoff or Backoff(settings.JOB_RETRY_DELAY_SECONDS)
        return Retry(outcome.error, outcome.code, policy)
    return outcome


def _storable(outcome: Completed) -> bool:
    try:
        text = json.dumps(outcome.result, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError):
        return False
    return size <= MAX_RESULT_BYTES and "\\u0000" not in text
