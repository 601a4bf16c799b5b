"""Run one attempt: from a claimed job to an Outcome, whatever the processor does."""

import json
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace

import structlog
from django.conf import settings

from jobs.outcomes import Backoff, Cancel, Completed, Failed, Interrupted, Outcome, Retry
from jobs.processors.contract import LeaseLost, RetryPolicy
from jobs.processors.declaration import Processor
from jobs.worker.execution import Execution
from jobs.worker.log_context import running
from jobs.worker.scanned import run_scanned

MAX_RESULT_BYTES = 65_536

log = structlog.get_logger(__name__)


def execute(execution: Execution, processors: Mapping[str, Processor], *, quiet: bool) -> Outcome:
    """Run the attempt. Never raises: an exception of the processor is a Retry, sys.exit() too, or
    Failed where its retry policy says so.

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
        execution.processor = processor
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
        outcome = run_scanned(processor, execution)
    except LeaseLost:
        outcome = Interrupted()
    except BaseException as error:  # SystemExit would end the thread and keep its lease for ever
        log.exception("job.raised")
        outcome = _raised(error, processor.retry_policy)
    if execution.stopped() and not isinstance(outcome, Completed):
        outcome = _why_stopped(execution, outcome)
    elif isinstance(outcome, Interrupted):
        # Handed back at no cost it would be back at once, again and again.
        outcome = Retry("It stopped though nobody had told it to.", code="interrupted")
    if not isinstance(outcome, Outcome):
        return Failed(f"It came to {type(outcome).__name__}, which is no outcome.", "bad_result")
    if isinstance(outcome, Completed) and not _storable(outcome):
        return Failed(
            f"The result is not JSON of at most {MAX_RESULT_BYTES} bytes that PostgreSQL can hold.",
            code="bad_result",
        )
    return under_policy(outcome, processor)


def under_policy(outcome: Outcome, processor: Processor) -> Outcome:
    """The outcome, with what the job type says of retries."""
    if isinstance(outcome, Retry) and outcome.backoff is None:
        backoff = processor.retry_policy.backoff or Backoff(settings.JOB_RETRY_DELAY_SECONDS)
        return replace(outcome, backoff=backoff)
    return outcome


def _why_stopped(execution: Execution, outcome: Outcome) -> Outcome:
    """What an attempt that was told to stop came to."""
    if execution.cancelled:
        return Cancel()
    if execution.timed_out and isinstance(outcome, Interrupted):
        return timed_out(execution)
    return outcome


def timed_out(execution: Execution) -> Retry:
    """The outcome of an attempt that took too long."""
    soft, hard = execution.time_limits()
    limit = hard if execution.taken else soft
    return Retry(f"It took longer than the {limit:g} s that are allowed.", code="timed_out")


def _raised(error: BaseException, policy: RetryPolicy) -> Retry | Failed:
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:  # its own text raises
        text = type(error).__name__
    made = Retry if policy.retries(error) else Failed
    return made(text, code="exception", traceback="".join(traceback.format_exception(error)))


def _storable(outcome: Completed) -> bool:
    try:
        if not outcome.result:
            return True
        text = json.dumps(outcome.result, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError):
        return False
    return size <= MAX_RESULT_BYTES and "\\u0000" not in text
