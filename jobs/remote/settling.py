"""What a remote worker says of an attempt: progress, and what it came to.

Each call says the same again when it is repeated, because its answer may have been lost.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings

from jobs import storage
from jobs.attempt import Attempt
from jobs.models import CLOCK, Job
from jobs.outcomes import Backoff, Completed, Failed, Interrupted, Metrics, Outcome, Retry
from jobs.processors.contract import TimeLimits
from jobs.processors.limits import time_limits
from jobs.processors.registry import processors
from jobs.queue import checkpoint
from jobs.queue.finish import Finished, finish
from jobs.queue.lease import heartbeat
from jobs.queue.limits import release as release_throttled
from jobs.queue.progress import Progress, report_progress
from jobs.queue.signal import announce
from jobs.remote import presence
from jobs.remote.errors import BadOutput, Infected, LeaseLost
from jobs.remote.keys import Lease
from jobs.remote.outputs import Unfit, published
from jobs.scan.errors import MalwareFound
from jobs.states import Status
from jobs.worker.scanned import failed_by
from jobs.worker.settlement import clean_up

log = structlog.get_logger(__name__)


def held(job_id: Any, number: int) -> Job:
    """The job while it is under way under this lease. Raises LeaseLost."""
    job = _bearing(job_id, number)
    if job.status != Status.IN_PROGRESS:
        raise LeaseLost
    return job


def renew(lease: Lease, progress: float | None, message: str) -> tuple[bool, bool]:
    """The worker has the job for another lease time. Returns whether it was cancelled, and whether
    the worker shall end. Raises LeaseLost, also when the hard time limit is over: the attempt has
    failed by that."""
    job = held(lease.job_id, lease.number)
    attempt = attempt_of(job)
    _, hard = limits_of(attempt)
    if _lasted(job) >= hard:
        text = f"It took longer than the {hard:g} s that are allowed."
        settle(attempt, Retry(text, code="timed_out", backoff=_backoff(attempt)))
        raise LeaseLost
    if heartbeat({lease.number: lease.job_id}, settings.JOB_LEASE_SECONDS):
        raise LeaseLost
    report_progress([Progress(lease.job_id, lease.number, progress, message)])
    return job.cancel_requested, presence.still_there(lease.worker_id)


def complete(lease: Lease, result: Mapping[str, Any], metrics: Metrics) -> Status:
    """The work is done: check and publish its output, complete the job with its metrics.

    result: of a job without an output; what an output holds is told by the service. Raises
    LeaseLost, OutputMissing, NotNow, Busy, BadOutput or Infected: then it has failed by that.
    """
    job = _bearing(lease.job_id, lease.number)
    if job.status == Status.COMPLETED:
        return Status.COMPLETED
    attempt = attempt_of(held(lease.job_id, lease.number))
    try:
        with published(attempt, result) as (output, described):
            return settle(attempt, Completed(metrics, described, output))
    except Unfit as error:
        text = f"What the worker made is not what was asked for. {error}"
        settle(attempt, Retry(text, code="bad_output", backoff=_backoff(attempt)))
        raise BadOutput(text) from None
    except MalwareFound as error:
        raise condemned(attempt, error, "output") from None


def condemned(attempt: Attempt, malware: MalwareFound, what: str) -> Infected:
    """Fail the job for good. Returns what to raise. Raises LeaseLost."""
    failed = failed_by(malware, what)
    settle(attempt, failed)
    return Infected(failed.error)


def fail(
    lease: Lease, code: str, message: str, *, retryable: bool, after: float | None = None
) -> Status:
    """The attempt failed. after: not again before so many seconds. Raises LeaseLost."""
    attempt = attempt_of(_bearing(lease.job_id, lease.number))
    if not retryable:
        return settle(attempt, Failed(message, code))
    return settle(attempt, Retry(message, code, backoff=_backoff(attempt), after=after))


def release(lease: Lease) -> Status:
    """The worker lets go of the job at no cost of an attempt; one that was to be cancelled is
    CANCELLED. Raises LeaseLost."""
    attempt = attempt_of(_bearing(lease.job_id, lease.number))
    return settle(attempt, Interrupted())


def attempt_of(job: Job) -> Attempt:
    """The attempt that the row is at."""
    return Attempt(
        str(job.id),
        job.lease or 0,
        job.attempt,
        job.max_attempts,
        job.job_type,
        job.source_file,
        job.target_format,
        job.priority,
        job.parameters,
        job.soft_limit_seconds,
        job.hard_limit_seconds,
    )


def limits_of(attempt: Attempt) -> tuple[float, float]:
    """Its soft and hard time limit."""
    processor = processors().get(attempt.job_type)
    return time_limits(attempt, TimeLimits() if processor is None else processor.limits)


def _bearing(job_id: Any, number: int) -> Job:
    """The job whose row bears this lease: under way, or settled under it. Raises LeaseLost."""
    job = Job.objects.annotate(now=CLOCK).filter(id=job_id, lease=number).first()
    if job is None:
        raise LeaseLost
    return job


def _lasted(job: Any) -> float:
    return float((job.now - job.started_at).total_seconds())


def _backoff(attempt: Attempt) -> Backoff:
    processor = processors().get(attempt.job_type)
    declared = None if processor is None else processor.retry_policy.backoff
    return declared or Backoff(settings.JOB_RETRY_DELAY_SECONDS)


def settle(attempt: Attempt, outcome: Outcome) -> Status:
    """What local workers do in a step, for one attempt. Raises LeaseLost."""
    finished = [Finished(attempt, outcome)]
    lost = finish(finished)
    clean_up(finished, lost)
    if lost:
        raise LeaseLost
    if isinstance(outcome, Completed):
        checkpoint.forget([attempt.job_id])
    else:
        storage.delete_attempts(attempt.job_id, attempt.lease)
    status = Status(Job.objects.values_list("status", flat=True).get(id=attempt.job_id))
    log.info("remote.settled", job_id=attempt.id, status=status, attempt=attempt.number)
    if status == Status.QUEUED:
        announce(attempt.priority)
    release_throttled()
    return status
