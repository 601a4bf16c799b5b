"""Frees threads whose database connection is acknowledged and never answered.

No setting of TCP ends such a wait: a server process that is stopped keeps its connection open for
ever. `statement_timeout` is kept by that same process, so it does not help either.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from jobs.queue.database import hang_up

if TYPE_CHECKING:
    import psycopg

LOOKS_A_BOUND = 8
LONGEST_PAUSE_SECONDS = 1.0

log = structlog.get_logger(__name__)

Connected = Callable[[], "psycopg.Connection[Any] | None"]


class Watchdog(threading.Thread):
    """Hangs up on a connection that has not answered within the time its caller gave it.

    The caller's wait then ends with the OperationalError of any lost connection.
    """

    def __init__(self, shortest_seconds: float) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._every = min(shortest_seconds / LOOKS_A_BOUND, LONGEST_PAUSE_SECONDS)
        self._lock = threading.Lock()
        self._calls: set[_Call] = set()
        self._stopping = threading.Event()

    def watching(self, connected: Connected, seconds: float) -> "_Call":
        """A context in which the calling thread waits for the connection that `connected` gives.

        Making a connection is not counted: `connect_timeout` bounds that.
        """
        return _Call(self._lock, self._calls, connected, seconds)

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def run(self) -> None:
        """Until `stop`."""
        while not self._stopping.wait(self._every):
            for call in self._hung_up():
                log.warning("connection.hung", hung_thread=call.thread, seconds=call.seconds)

    def _hung_up(self) -> list["_Call"]:
        # No call ends while the lock is held, so nobody closes a connection meanwhile: the number
        # of its socket cannot become that of another.
        with self._lock:
            return [call for call in self._calls if call.grow(self._every)]


class _Call:
    """One wait of one thread. Cheap: every step of a worker thread is one."""

    __slots__ = ("_age", "_all", "_connected", "_lock", "_raw", "seconds", "thread")

    def __init__(
        self, lock: threading.Lock, calls: set["_Call"], connected: Connected, seconds: float
    ) -> None:
        self._lock = lock
        self._all = calls
        self._connected = connected
        self._raw: psycopg.Connection[Any] | None = None
        self._age = 0.0
        self.seconds = seconds
        self.thread = ""

    def __enter__(self) -> None:
        self._raw = self._connected()
        self._age = 0.0
        with self._lock:
            self._all.add(self)
        self.thread = threading.current_thread().name

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._all.remove(self)

    def grow(self, seconds: float) -> bool:
        """So much later: whether the connection was hung up on.

        Its age is counted in looks and not by a clock: a process that was stopped for a while must
        not hang up on answers that wait to be read.
        """
        raw = self._connected()
        if raw is not self._raw:
            self._raw, self._age = raw, 0.0
        self._age += seconds
        if raw is None or self._age <= self.seconds:
            return False
        self._age = 0.0
        return hang_up(raw)
