"""What remote workers make: taken as a stream, checked, and only then published."""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from jobs import storage
from jobs.attempt import Attempt
from jobs.media.errors import MediaError
from jobs.media.limits import MEBIBYTE
from jobs.media.presets import find_preset
from jobs.media.publish import publish
from jobs.processors.admission import TRANSCODE
from jobs.processors.transcode import verified
from jobs.remote.errors import (
    Busy,
    Incomplete,
    NotNow,
    NotScanned,
    NoUpload,
    OutputMissing,
    TooLarge,
    UploadDiffers,
    WrongDigest,
)
from jobs.scan.errors import ScanUnavailable
from jobs.scan.files import scan_output

CHUNK = MEBIBYTE


class Unfit(Exception):
    """What was uploaded is not what was asked for."""


def largest() -> int:
    """Bytes of the largest output."""
    return int(settings.MEDIA_MAX_OUTPUT_MB) * MEBIBYTE


def receive(attempt: Attempt, read: Callable[[int], bytes], length: int, digest: bytes) -> None:
    """Keep an output until its job is completed. The same one again is no matter.

    digest: its SHA-256. Raises NoUpload, TooLarge, Incomplete, WrongDigest, UploadDiffers, NotNow.
    """
    if length > largest():
        raise TooLarge
    kept = _kept(_destination(attempt))
    # Under a name of its own until it is whole: the one that is kept is never written to.
    arriving = kept.with_name(f"{attempt.lease}.{secrets.token_hex(8)}.arriving")
    try:
        storage.require_free_space(length)
        _write(arriving, read, length, digest)
        os.link(arriving, kept)
    except FileExistsError:
        if _digest(kept) != digest:
            raise UploadDiffers from None
    except storage.NotEnoughSpace as error:
        raise NotNow(str(error)) from None
    except OSError as error:
        raise NotNow(f"The output cannot be written: {error.strerror}.") from error
    finally:
        storage.delete_output(arriving)


def drop(attempt: Attempt) -> None:
    """The lease was lost while the output arrived."""
    storage.delete_output(_kept(_destination(attempt)))


@contextmanager
def published(
    attempt: Attempt, result: Mapping[str, Any]
) -> Iterator[tuple[Path | None, Mapping[str, Any]]]:
    """The output under its name, and what the job's result says; for one request at a time.

    Raises OutputMissing, Unfit, NotNow, Busy, MalwareFound.
    """
    try:
        destination = _destination(attempt)
    except NoUpload:
        yield None, _plain(result)
        return
    with _alone(destination.parent):
        # Published before, when the database did not answer.
        there = [path for path in (_kept(destination), destination) if path.is_file()]
        if there:
            if there[0] != destination:
                _scan(attempt, there[0])
            described = _checked(attempt, there[0])
            if there[0] != destination:
                _publish(there[0], destination)
            yield destination, {"output": storage.output_name(destination), **described}
        else:
            storage.delete_output(destination)  # and so the empty folder
            if attempt.job_type == TRANSCODE:
                raise OutputMissing
            yield None, _plain(result)


def _plain(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result that leads to no file: only what the service published is an output."""
    return {name: value for name, value in result.items() if name != "output"}


def _destination(attempt: Attempt) -> Path:
    """Named by the service alone. Raises NoUpload."""
    try:
        preset = find_preset(attempt.target_format)
    except MediaError:
        raise NoUpload from None
    return storage.output_path(attempt.job_id, attempt.lease, preset.extension)


def _kept(destination: Path) -> Path:
    return destination.with_name(f"{destination.name}.part")


def _write(path: Path, read: Callable[[int], bytes], length: int, digest: bytes) -> None:
    hashed = hashlib.sha256()
    left = length
    with path.open("xb") as file:
        while left and (data := read(min(CHUNK, left))):
            left -= len(data)
            hashed.update(data)
            file.write(data)
    if left:
        raise Incomplete
    if not secrets.compare_digest(hashed.digest(), digest):
        raise WrongDigest


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _scan(attempt: Attempt, made: Path) -> None:
    try:
        scan_output(made, attempt.job_id)
    except ScanUnavailable as error:
        raise NotScanned(f"The output could not be scanned for malware. {error}") from None


def _checked(attempt: Attempt, made: Path) -> dict[str, Any]:
    try:
        return verified(attempt.source_file, attempt.target_format, made)
    except MediaError as error:
        if error.permanent:
            raise Unfit(error.message) from None
        raise NotNow(error.message) from None
    except storage.StorageError as error:
        raise Unfit(str(error)) from None


def _publish(kept: Path, destination: Path) -> None:
    try:
        publish(kept, destination)
    except MediaError as error:
        raise NotNow(error.message) from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """A lock that ends with the process at the latest. Raises Busy."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy from None
        yield
    finally:
        os.close(descriptor)
