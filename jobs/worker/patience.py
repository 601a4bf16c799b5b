"""Carry queue operations through outages of the database."""

import math
import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
import structlog
from django.db import InterfaceError, OperationalError, connection

from jobs.statement import own_connection
from jobs.worker.watchdog import Watchdog

T = TypeVar("T")
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 1.0

log = structlog.get_logger(__name__)


class GaveUp(Exception):
    """The worker must end while the database is away."""


class Patience:
    """Repeats an operation until the database answers. One for all threads of a process, so that
    an outage is logged once.

    watchdog: ends an operation that has had no answer for `seconds`, or for as long as its caller
    says. Whose thread is not started ends none.
    """

    def __init__(self, watchdog: Watchdog | None = None, seconds: float = math.inf) -> None:
        self._watchdog = watchdog or Watchdog(seconds)
        self._seconds = seconds
        self._giving_up = threading.Event()
        self._lock = threading.Lock()
        self._lost_at: float | None = None
        self._recovered_at = -math.inf

    def up_for(self) -> float:
        """How many seconds ago the last outage that this process saw has ended: infinity when it
        saw none, 0 while it lasts."""
        with self._lock:
            return 0.0 if self._lost_at is not None else time.monotonic() - self._recovered_at

    def give_up(self) -> None:
        """From now on a failing operation raises GaveUp instead of being repeated."""
        self._giving_up.set()

    def once(self, operation: Callable[[], T]) -> T:
        """The operation's result, for what must not be done twice: only a connection that hangs is
        hung up on. Raises whatever it raises."""
        own = own_connection()
        with self._watchdog.watching(lambda: own.connection, self._seconds):
            return operation()

    def run(
        self,
        operation: Callable[[], T],
        *,
        seconds: float | None = None,
        stopped: Callable[[], object] = lambda: False,
    ) -> T:
        """The operation's result, however long the database is away.

        seconds: how long a connection may leave it without an answer, if not as long as any other.
        stopped: asked after each failure whether this caller gives up.
        Lost connections, deadlocks and timeouts are repeated; the operation must bear being run
        again after a COMMIT whose answer was lost. Any other error is the caller's.
        """
        delay = FIRST_DELAY_SECONDS
        own = own_connection()  # of this thread; `connection` is of who looks
        watch = self._watchdog.watching(lambda: own.connection, seconds or self._seconds)
        while True:
            began = time.monotonic()
            try:
                with watch:
                    result = operation()
            except (OperationalError, InterfaceError) as error:
                connection.close()
                if delay > FIRST_DELAY_SECONDS and not _answered(error):
                    self._lost(error)  # a new connection failed as well
                gives_up = self._giving_up.wait(delay * random.uniform(0.5, 1.0))  # noqa: S311
                if gives_up or stopped():
                    raise GaveUp from error
                delay = min(delay * 2, LONGEST_DELAY_SECONDS)
            else:
                if self._lost_at is not None:
                    self._recovered(began)
                return result

    def _lost(self, error: Exception) -> None:
        with self._lock:
            if self._lost_at is None:
                self._lost_at = time.monotonic()
                log.warning("database.lost", error=str(error).strip())

    def _recovered(self, began: float) -> None:
        with self._lock:
            if self._lost_at is not None and began > self._lost_at:
                seconds = round(time.monotonic() - self._lost_at, 1)
                self._lost_at = None
                self._recovered_at = time.monotonic()
                log.info("database.recovered", seconds=seconds)


def _answered(error: Exception) -> bool:
    """Whether the server works and only this operation has to wait: for a lock, or too long."""
    return isinstance(
        error.__cause__, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable
    )
