"""File locks (flock), which the kernel drops however their holder ends."""

import fcntl
import os
from pathlib import Path


class FileLock:
    """A lock on a file that exists. Not shared with programs started by exec."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def try_shared(self) -> bool:
        """Take the lock beside others who share it; False when somebody has it alone."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Take the lock alone; False when anybody has it. Gives up a shared hold while it tries."""
        return self._try(fcntl.LOCK_EX)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go, unless a forked child still holds it too."""
        os.close(self._descriptor)


def is_held(path: Path) -> bool:
    """Whether anybody holds the lock of `path`."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        return not lock.try_exclusive()
    finally:
        lock.close()
