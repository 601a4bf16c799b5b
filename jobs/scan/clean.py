"""Which files were found clean a while ago: a source is scanned once for all who ask in a while."""

import os
import threading
import time
from collections import OrderedDict
from enum import Enum
from typing import NamedTuple

REMEMBERED_SECONDS = 3600.0  # then newer signatures get to see it
REMEMBERED_FILES = 1000


class Identity(NamedTuple):
    """A file as it was: it is another as soon as somebody wrote to it."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


class Turn(Enum):
    """What to do about a file: nothing, wait until another thread knows, or scan it."""

    CLEAN = "clean"
    WAIT = "wait"
    SCAN = "scan"


def identity_of(descriptor: int) -> Identity:
    """That of an open file."""
    status = os.fstat(descriptor)
    return Identity(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


class Clean:
    """The memory of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[Identity, float] = OrderedDict()
        self._under_way: set[Identity] = set()

    def turn(self, file: Identity) -> Turn:
        """Who gets SCAN has to call `end`."""
        with self._lock:
            if time.monotonic() - self._found.get(file, -REMEMBERED_SECONDS) < REMEMBERED_SECONDS:
                return Turn.CLEAN
            if file in self._under_way:
                return Turn.WAIT
            self._under_way.add(file)
            return Turn.SCAN

    def end(self, file: Identity, *, clean: bool) -> None:
        """The scan is over."""
        with self._lock:
            self._under_way.discard(file)
            self._found.pop(file, None)
            if clean:
                self._found[file] = time.monotonic()
            if len(self._found) > REMEMBERED_FILES:
                self._found.popitem(last=False)
