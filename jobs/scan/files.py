"""Scan files of the store, by the settings. What was found is in the log."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import structlog
from django.conf import settings

from jobs.scan import clamd
from jobs.scan.address import parse_address
from jobs.scan.clamd import Stop
from jobs.scan.clean import Clean, Turn, identity_of
from jobs.scan.errors import MalwareFound, ScanUnavailable, Stopped

WAIT_SECONDS = 0.2

log = structlog.get_logger(__name__)
_clean = Clean()


def never() -> bool:
    """A `stop` for callers that never stop."""
    return False


def scan_output(path: Path, job_id: UUID, stop: Stop = never) -> None:
    """Return when the output holds no known malware, or nothing is to be scanned (SCANNER).

    Raises MalwareFound, ScanUnavailable, Stopped, OSError.
    """
    if settings.SCANNER:
        with path.open("rb") as file:
            _scan(file, "output", job_id, stop)


def scan_source(path: Path, job_id: UUID, stop: Stop, wait: Callable[[float], bool]) -> None:
    """Return when the source holds no known malware. One that was clean within the hour, and was
    not written to since, is not scanned again by this process.

    wait: sleeps a while, when another thread is at the same file; True when to wait no longer.
    Raises as `scan_output` does, and Stopped for `wait`.
    """
    if not settings.SCANNER:
        return
    with path.open("rb") as file:
        identity = identity_of(file.fileno())
        while (turn := _clean.turn(identity)) is Turn.WAIT:
            if wait(WAIT_SECONDS):
                raise Stopped
        if turn is Turn.CLEAN:
            return
        clean = False
        try:
            _scan(file, "source", job_id, stop)
            clean = identity_of(file.fileno()) == identity
        finally:
            _clean.end(identity, clean=clean)


def _scan(file: BinaryIO, of: str, job_id: UUID, stop: Stop) -> None:
    about = {"job_id": str(job_id), "file": of}
    try:
        address = parse_address(settings.SCANNER)
        clamd.scan(address, file, seconds=settings.SCANNER_TIMEOUT, stop=stop)
    except MalwareFound as error:
        log.warning("malware.found", signature=error.signature, **about)
        raise
    except ScanUnavailable as error:
        log.warning("scan.unavailable", error=str(error), **about)
        raise
