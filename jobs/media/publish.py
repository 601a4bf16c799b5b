"""Give a finished file its name: whole and on disk, or not at all."""

import os
from pathlib import Path

from jobs.media.errors import MediaError


def publish(partial: Path, destination: Path) -> None:
    """Rename when the content is on disk, and see that the name is on disk too.

    Raises MediaError `disk_full`; then there is no file under the name.
    """
    try:
        _sync(partial, os.O_RDWR)
        partial.replace(destination)
        _sync(destination.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        destination.unlink(missing_ok=True)
        raise MediaError(
            "disk_full", f"The output could not be written to disk: {error.strerror}."
        ) from error


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
