"""LISTEN on a connection of its own, past any pooler."""

import time
from collections.abc import Callable, Iterator

import psycopg
from psycopg import sql

from jobs.queue.database import direct_parameters
from jobs.queue.signal import CHANNEL
from jobs.secret_files import current
from jobs.worker.wakeup.listener import (
    CHECK_STOP_SECONDS,
    PING_EVERY_SECONDS,
    Listener,
    Pulse,
)
from jobs.worker.watchdog import Watchdog

PINGS = f"{CHANNEL}_ping"
APPLICATION_NAME = "mediaproc listener"


class PostgresListener(Listener):
    """Hears the NOTIFY of `jobs.queue.signal`, and pings: a pooler loses both silently.

    All workers share the pings, so that a hundred idle ones send no more of them than one.
    """

    signal_name = "postgresql"

    def __init__(self, wake: Callable[[str], None], watchdog: Watchdog) -> None:
        super().__init__(wake)
        self._watchdog = watchdog

    def session(self) -> Iterator[str | None]:
        """See Listener."""
        with _connect() as listening:
            pulse = Pulse(time.monotonic())
            answered = self._watchdog.watching(lambda: listening, PING_EVERY_SECONDS)
            with answered:
                for channel in (CHANNEL, PINGS):
                    listening.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield None
            while True:
                for notify in listening.notifies(timeout=CHECK_STOP_SECONDS):
                    pulse.heard(time.monotonic())
                    if notify.channel == CHANNEL:
                        yield notify.payload
                if pulse.due(time.monotonic()):
                    with answered:
                        listening.execute("SELECT pg_notify(%s, '')", [PINGS])
                yield None


def _connect() -> psycopg.Connection[tuple[object, ...]]:
    if address := current("LISTEN_DATABASE_URL"):
        return psycopg.connect(
            address,
            autocommit=True,
            connect_timeout=5,
            application_name=APPLICATION_NAME,
        )
    return psycopg.connect(**direct_parameters(application_name=APPLICATION_NAME), autocommit=True)
