"""Run an attempt between two scans: of its source, and of what its result would have served."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from django.conf import settings

from jobs import storage
from jobs.outcomes import Completed, Failed, Interrupted, Outcome, Retry
from jobs.processors.contract import Context
from jobs.processors.declaration import Processor, Source
from jobs.scan.errors import MalwareFound, ScanUnavailable, Stopped, Unreachable
from jobs.scan.files import scan_output, scan_source

MALWARE_FOUND = "malware_found"
SCAN_UNAVAILABLE = "scan_unavailable"
# A clamd that is started reads its signatures for about half a minute.
AGAIN_SECONDS = 60.0
# The work of hours is not thrown away for that: an output waits, so often and so long.
OUTPUT_WAITS = 30
OUTPUT_WAIT_SECONDS = 10.0


def run_scanned(processor: Processor, context: Context) -> Outcome:
    """What the processor returns; or why it is not called, or its output is deleted."""
    if not settings.SCANNER:
        return processor.run(context)
    if processor.source is Source.STORED:
        objection = _objection("source", partial(_scan_source, context))
        if objection is not None:
            return objection
    outcome = processor.run(context)
    if isinstance(outcome, Completed):
        served = _served(context, outcome)
        if served is not None:
            return _objection("output", partial(_scan_output, context, served)) or outcome
    return outcome


def failed_by(malware: MalwareFound, what: str) -> Failed:
    """The end of a job whose source or output holds malware."""
    return Failed(f"The {what} is refused. {malware}", code=MALWARE_FOUND)


def _objection(what: str, scan: Callable[[], None]) -> Outcome | None:
    try:
        scan()
    except MalwareFound as error:
        return failed_by(error, what)
    except ScanUnavailable as error:
        text = f"The {what} could not be scanned for malware. {error}"
        return Retry(text, code=SCAN_UNAVAILABLE, after=AGAIN_SECONDS)
    except Stopped:
        return Interrupted()
    except storage.StorageError as error:
        return Failed(str(error), code="source_not_found")
    return None


def _scan_source(context: Context) -> None:
    context.report(None, "scanning the source")
    source = storage.resolve_source(context.attempt.source_file)
    scan_source(source, context.attempt.job_id, context.stopped, context.wait)


def _served(context: Context, outcome: Completed) -> Path | None:
    """The file that the API would serve."""
    name = outcome.result.get("output")
    try:
        return storage.find_output(context.attempt.job_id, name) if isinstance(name, str) else None
    except storage.OutputGone:
        return None


def _scan_output(context: Context, output: Path) -> None:
    try:
        for _ in range(OUTPUT_WAITS):
            context.report(1.0, "scanning the output")
            try:
                return scan_output(output, context.attempt.job_id, context.stopped)
            except Unreachable:
                context.report(1.0, "waiting for the scanner")
                if context.wait(OUTPUT_WAIT_SECONDS):
                    raise Stopped from None
        return scan_output(output, context.attempt.job_id, context.stopped)
    except BaseException:
        storage.delete_output(output)
        raise
