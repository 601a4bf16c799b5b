"""The media store under MEDIA_ROOT: `sources/` is read, `outputs/<job>/<lease>.mp4` is written.

Local files only. Every output carries the lease of the attempt that made it, so that a worker that
has lost its job writes beside, and never over, the output of the one that has it now.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from uuid import UUID

from django.conf import settings

NAME_LENGTH = 255


class StorageError(Exception):
    """The media store cannot give or take a file. The text is for people."""


class OutsideStore(StorageError):
    """The name does not stay inside the store."""


class SourceNotFound(StorageError):
    """There is no such file among the sources."""


class OutputGone(StorageError):
    """The job's output is not in the store, or not any more."""


class NotEnoughSpace(StorageError):
    """The disk of the store is too full for new work."""


def sources_root() -> Path:
    """Where clients' files are."""
    return Path(settings.MEDIA_ROOT).absolute() / "sources"


def outputs_root() -> Path:
    """Where finished files are."""
    return Path(settings.MEDIA_ROOT).absolute() / "outputs"


def check_name(name: str) -> None:
    """Raise OutsideStore unless this could be the name of a source; the disk is not looked at.

    A name is relative, may have folders, and has 1 to 255 characters.
    """
    if not name or len(name) > NAME_LENGTH:
        raise OutsideStore(f"A source's name has 1 to {NAME_LENGTH} characters.")
    if "\0" in name or any("\ud800" <= character <= "\udfff" for character in name):
        raise OutsideStore("A source's name has characters that no file name can have.")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise OutsideStore(f"A source's name stays inside the media store: {name!r} does not.")


def resolve_source(name: str) -> Path:
    """The real path of a source, free of links. Raises OutsideStore or SourceNotFound."""
    check_name(name)
    root = sources_root()
    try:
        path = (root / name).resolve(strict=True)
        mode = path.stat().st_mode
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        raise SourceNotFound(f"There is no {name!r} in the media store.") from None
    if not path.is_relative_to(root.resolve()):
        raise OutsideStore(f"{name!r} is a link that leaves the media store.")
    if not stat.S_ISREG(mode):
        raise SourceNotFound(f"{name!r} in the media store is not a file.")
    return path


def source_exists(name: str) -> bool:
    """Whether `resolve_source` would find it."""
    try:
        resolve_source(name)
    except StorageError:
        return False
    return True


def source_size(name: str) -> int | None:
    """Its bytes; None where `resolve_source` would not find it."""
    try:
        return resolve_source(name).stat().st_size
    except (StorageError, OSError):
        return None


def output_path(job_id: UUID, lease: int, extension: str) -> Path:
    """Where this attempt's output goes; its folder is made."""
    folder = _folder(job_id)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{lease}.{extension}"


def output_name(path: Path) -> str:
    """How a job's result names an output: <job id>/<lease>.<extension>."""
    return str(path.relative_to(outputs_root()))


def find_output(job_id: UUID, name: str) -> Path:
    """The file that a job's result names. Raises OutputGone, also for what is not in its folder."""
    path = outputs_root() / name
    if "\0" in name or PurePosixPath(name).parts != (str(job_id), path.name):
        raise OutputGone("The result names no output of this job.")
    try:
        kept = stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        kept = False
    if not kept:
        raise OutputGone("The output of this job is not kept any more.")
    return path


def outputs(job_id: UUID) -> list[Path]:
    """What is in the job's folder, of every lease, finished or not; sorted by name."""
    folder = _folder(job_id)
    return sorted(folder.iterdir()) if folder.is_dir() else []


def remove_leftovers(job_id: UUID, lease: int) -> list[Path]:
    """Delete what other leases of the job left behind; returns what was deleted.

    Call it when the attempt of `lease` has won, for example after it completed the job.
    """
    leftovers = [path for path in outputs(job_id) if path.name.partition(".")[0] != str(lease)]
    for path in leftovers:
        path.unlink(missing_ok=True)
    return leftovers


def delete_output(path: Path) -> None:
    """Delete one output, and its job's folder when that was the last. Absent is fine.

    Raises OutsideStore for a path that is not an output.
    """
    if path.parent.parent != outputs_root() or ".." in path.parts:
        raise OutsideStore(f"{path} is not an output.")
    path.unlink(missing_ok=True)
    try:
        path.parent.rmdir()
    except OSError:
        return  # not empty, or already gone


def delete_attempts(job_id: UUID, last: int) -> None:
    """Delete what the job's attempts wrote, finished or not, up to the one with the lease `last`.

    Leases grow: what an attempt writes that began meanwhile stays.
    """
    for path in outputs(job_id):
        lease = path.name.partition(".")[0]
        if lease.isdigit() and int(lease) <= last:
            path.unlink(missing_ok=True)
    with suppress(OSError):  # not empty, or not there
        _folder(job_id).rmdir()


def delete_outputs(job_id: UUID) -> None:
    """Delete the job's folder with all that is in it, finished or not. Absent is fine.

    Raises OSError where the file system refuses.
    """
    try:
        shutil.rmtree(_folder(job_id))
    except FileNotFoundError:
        return  # or somebody deleted it meanwhile


def output_folders() -> Iterator[UUID]:
    """The jobs that have a folder, in no order; what is not named like a job is passed over."""
    root = outputs_root()
    if not root.is_dir():
        return
    with os.scandir(root) as entries:
        for entry in entries:
            with suppress(ValueError):
                job_id = UUID(entry.name)
                if entry.name == str(job_id) and entry.is_dir(follow_symlinks=False):
                    yield job_id


def outputs_changed_at(job_id: UUID) -> float:
    """When something was last made, renamed or deleted in the job's folder, as time.time() has it.

    Raises FileNotFoundError.
    """
    return _folder(job_id).stat().st_mtime


def require_free_space(size_bytes: int) -> None:
    """Raise NotEnoughSpace when less than this is free for new outputs."""
    root = outputs_root()
    root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root).free
    if free < size_bytes:
        raise NotEnoughSpace(
            f"The disk of the media store has {free // 2**20} MiB free, and"
            f" {size_bytes // 2**20} MiB are needed. Delete old outputs or enlarge it."
        )


def _folder(job_id: UUID) -> Path:
    return outputs_root() / str(job_id)
