"""Hand a file to a child as an open file and not by its name.

A name decides too much in ffmpeg: `-y.mp4` is an option, `concat:x` a protocol, `a%d.png` a
sequence of files, and an ending chooses the demuxer. `/dev/fd/N` is none of these. Nor can it be
changed to another file after the checks, and the sandbox sees nothing else of the store.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.media.errors import MediaError


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """The file's descriptor, for `Child(inherit=...)`.

    Raises MediaError `source_missing`, or `unreadable_media` when it is no file or is empty.
    """
    try:
        # Without O_NONBLOCK the opening of a pipe would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise MediaError(
            "source_missing", f"The file cannot be opened: {error.strerror}."
        ) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise MediaError("unreadable_media", "This is not a file.")
        if status.st_size == 0:
            raise MediaError("unreadable_media", "The file is empty.")
        yield descriptor
    finally:
        os.close(descriptor)


def url(descriptor: int) -> str:
    """The name under which ffmpeg opens it."""
    return f"file:/dev/fd/{descriptor}"
