"""Measures how slow the machine itself is: how late a timer wakes, how long a small commit takes.

The commit goes through the proxy as everybody's does, by a door that no fault touches. When it
fails, because the database is away, only the timer counts: an outage is no excuse.
"""

import threading
from contextlib import suppress

import psycopg

from tests.chaos.clock import now
from tests.chaos.ledger import Ledger
from tests.chaos.stalls import Stalls

PERIOD_SECONDS = 0.05
# A beat of a quiet machine takes less; of a slow one only what is above counts.
USUAL_SECONDS = 0.1
# Writes to the log, so that its COMMIT waits for the disk.
_COMMIT = "SELECT pg_logical_emit_message(true, 'pulse', '')"


class Pulse(threading.Thread):
    """Beats until `end`, and writes down every beat that was slow."""

    def __init__(self, ledger: Ledger, url: str) -> None:
        super().__init__(name="pulse", daemon=True)
        self._ledger = ledger
        self._url = url
        self._ending = threading.Event()
        self._connection: psycopg.Connection[object] | None = None
        self._slow: list[tuple[float, float]] = []
        self._longest = 0.0
        self._beats = 0

    def stalled_since(self, moment: float) -> float:
        """How many seconds of stall were measured since then."""
        return Stalls(self._slow).within(moment, now())

    def run(self) -> None:
        due = now()
        while not self._ending.wait(max(0.0, due - now())):
            woke = now()
            done = now() if self._commit() else woke
            self._count(due, done)
            due = max(due + PERIOD_SECONDS, now())
        self._close()

    def end(self) -> None:
        """Beat no more, and write down what there was in all."""
        self._ending.set()
        self.join(10)
        self._ledger.write("pulse", beats=self._beats, longest=round(self._longest, 3))

    def _count(self, due: float, done: float) -> None:
        self._beats += 1
        self._longest = max(self._longest, done - due)
        if done - due > USUAL_SECONDS:
            self._slow.append((due + USUAL_SECONDS, done))
            self._ledger.write("slow_beat", began=due + USUAL_SECONDS, t=done)

    def _commit(self) -> bool:
        """Whether it came through on a connection that was there before."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    self._url, autocommit=True, connect_timeout=5, application_name="pulse"
                )
                return False
            self._connection.execute(_COMMIT)
        except psycopg.Error:
            self._close()
            return False
        return True

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None
