"""Run one leased job: fetch its source, call its processor, bring and tell what it made."""

import traceback
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import structlog

from jobs import storage
from jobs.outcomes import Cancel, Completed, Failed, Interrupted, Outcome, Retry, Snooze
from jobs.processors.contract import LeaseLost as NotOurs
from jobs.processors.declaration import Processor, Source
from jobs.remote.client.attempt import RemoteContext
from jobs.remote.client.patience import Stopped, is_unscanned
from jobs.remote.client.server import LeaseLost, Refused, Server

MAX_MESSAGE = 4000
# Of files that the service does not take or give: the attempt, or the job, has failed by it.
SETTLED = {"bad_output", "malware_found"}

log = structlog.get_logger(__name__)


def work(server: Server, context: RemoteContext, processors: Mapping[str, Processor]) -> None:
    """From a leased job to its end as the service knows it. Raises GaveUp, and Refused where the
    service takes nothing of this worker, such as a token that was revoked."""
    attempt = context.attempt
    log.info("job.started", job_id=attempt.id, job_type=attempt.job_type, attempt=attempt.number)
    source = storage.sources_root() / attempt.id
    try:
        outcome = _outcome(server, context, processors)
        log.info("job.ended", job_id=attempt.id, outcome=type(outcome).__name__.lower())
        _settle(server, context, outcome)
    except LeaseLost:
        log.warning("job.refused", job_id=attempt.id, reason="its lease was lost")
    except Refused as error:
        if error.code not in SETTLED:
            raise
        log.error("job.refused", job_id=attempt.id, reason=error.detail)
    finally:
        context.close()
        source.unlink(missing_ok=True)
        storage.delete_outputs(attempt.job_id)


def _outcome(
    server: Server, context: RemoteContext, processors: Mapping[str, Processor]
) -> Outcome:
    job = context.job
    processor = processors[job["job_type"]]  # the service gives none that was not asked for
    if job["source_bytes"] is None and processor.source is Source.STORED:
        return Failed(f"There is no {job['source_file']!r} in the media store.", "source_not_found")
    try:
        outcome = _run(processor, context) if _fetched(server, context) else Interrupted()
        context.returned()
    except storage.NotEnoughSpace as error:
        return Retry(str(error), code="disk_full")
    except Refused as error:
        if not is_unscanned(error.code):
            raise
        return Retry(error.detail, code=error.code)
    if context.stopped():
        return _why_stopped(context, outcome)
    if isinstance(outcome, Interrupted):
        return Retry("It stopped though nobody had told it to.", code="interrupted")
    return outcome


def _fetched(server: Server, context: RemoteContext) -> bool:
    """Whether the source, where there is one, is here. False when the attempt was stopped."""
    size = context.job["source_bytes"]
    if size is None:
        return True
    storage.require_free_space(size)
    path = storage.sources_root() / context.attempt.id
    return server.fetch(lambda: context.addresses["source"], path, context.stopped, context.wait)


def _run(processor: Processor, context: RemoteContext) -> Outcome:
    try:
        return processor.run(context)
    except NotOurs:
        return Interrupted()
    except Exception as error:
        log.exception("job.raised", job_id=context.attempt.id)
        made = Retry if processor.retry_policy.retries(error) else Failed
        text = "".join(traceback.format_exception_only(error)).strip()
        return made(text, code="exception")


def _why_stopped(context: RemoteContext, outcome: Outcome) -> Outcome:
    if context.timed_out and isinstance(outcome, Interrupted) and not context.cancelled:
        limit = context.job["soft_limit_seconds"]
        return Retry(f"It took longer than the {limit:g} s that are allowed.", code="timed_out")
    return outcome


def _settle(server: Server, context: RemoteContext, outcome: Outcome) -> None:
    job = context.job
    match outcome:
        case Completed():
            _complete(server, context, outcome)
        case Retry(error, code):
            _fail(server, job, code, error, retryable=True, retry_after=outcome.after)
        case Failed(error, code):
            _fail(server, job, code, error, retryable=False)
        case Snooze(seconds, reason):
            _fail(server, job, "snoozed", reason, retryable=True, retry_after=seconds)
        case Cancel(reason) if not context.cancelled:
            _fail(server, job, "cancelled", reason, retryable=False)
        case _:
            server.say(job, "release")


def _complete(server: Server, context: RemoteContext, outcome: Completed) -> None:
    try:
        if outcome.output is not None:
            context.renew_now()
            server.bring(lambda: context.addresses["output"], outcome.output, _is_lost(context))
        server.say(
            context.job,
            "complete",
            stopped=_is_lost(context),
            result=dict(outcome.result),
            metrics=asdict(outcome.metrics),
        )
    except Stopped:
        server.say(context.job, "release")
    except Refused as error:
        if error.code in SETTLED or error.status in (401, 403):
            raise
        code = error.code if is_unscanned(error.code) else "not_taken"
        _fail(server, context.job, code, str(error), retryable=True)


def _is_lost(context: RemoteContext) -> Any:
    return lambda: context.cancelled or context.lost


def _fail(
    server: Server,
    job: Mapping[str, Any],
    code: str,
    message: str,
    *,
    retryable: bool,
    retry_after: float | None = None,
) -> None:
    server.say(
        job,
        "fail",
        code=code,
        message=message[-MAX_MESSAGE:],
        retryable=retryable,
        retry_after=retry_after,
    )
