"""SIGTERM and SIGINT as something the main thread can wait for."""

import select
import signal
import socket
from types import FrameType


class StopSignals:
    """Counts stop signals. The handler takes no lock: it may interrupt the main thread anywhere."""

    def __init__(self) -> None:
        self.count = 0
        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)
        self._writing.setblocking(False)

    def install(self) -> None:
        """Catch the signals from now on. Main thread only."""
        signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._count)

    def ignore(self) -> None:
        """The end is near: further signals must not break it off. Main thread only."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)

    def wait(self, seconds: float | None) -> None:
        """Return after `seconds` (None: never), or at the next signal."""
        ready, _, _ = select.select([self._reading], [], [], seconds)
        if ready:
            self._reading.recv(64)

    def _count(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
