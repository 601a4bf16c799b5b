"""The sources of leased jobs: scanned before a remote worker gets them."""

from pathlib import Path
from typing import Any

from jobs import storage
from jobs.remote.errors import Busy, NotScanned
from jobs.remote.settling import attempt_of, condemned, held
from jobs.scan.errors import MalwareFound, ScanUnavailable, Stopped
from jobs.scan.files import never, scan_source


def source_of(job_id: Any, lease: int) -> Path:
    """The source of a leased job.

    Raises LeaseLost, storage.StorageError, NotScanned, Busy while another request scans it, and
    Infected: then the job has failed by it.
    """
    attempt = attempt_of(held(job_id, lease))
    path = storage.resolve_source(attempt.source_file)
    try:
        scan_source(path, attempt.job_id, never, _does_not_wait)
    except MalwareFound as error:
        raise condemned(attempt, error, "source") from None
    except ScanUnavailable as error:
        raise NotScanned(f"The source could not be scanned for malware. {error}") from None
    except Stopped:
        raise Busy("This source is being scanned for another request. Try again.") from None
    return path


def _does_not_wait(seconds: float) -> bool:
    """A client that lost patience comes again: one web thread at a file is enough."""
    return True
