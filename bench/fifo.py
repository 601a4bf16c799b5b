"""The reading end of the marks (bench/marks.py)."""

import os
import select
import time
from collections.abc import Callable
from pathlib import Path


class Fifo:
    """A named pipe. Opened for both, so that it lasts while writers come and go."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._rest = b""

    def close(self) -> None:
        """Close and remove it."""
        os.close(self._descriptor)
        self.path.unlink()

    def next(self, seconds: float, alive: Callable[[], None]) -> tuple[int, int]:
        """The next job's number and start. `alive` is called now and then, and may raise.

        Raises TimeoutError.
        """
        deadline = time.monotonic() + seconds
        while b"\n" not in self._rest:
            alive()
            if time.monotonic() > deadline:
                raise TimeoutError(f"no job started in {seconds:.0f} s")
            if select.select([self._descriptor], [], [], 0.25)[0]:
                self._rest += os.read(self._descriptor, 65536)
        line, _, self._rest = self._rest.partition(b"\n")
        number, nanoseconds = line.split()
        return int(number), int(nanoseconds)
