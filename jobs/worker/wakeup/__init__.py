"""Signals that wake idle threads before their next poll. Each may die at any moment."""

from collections.abc import Callable

from django.conf import settings

from jobs.worker.wakeup.listener import Listener
from jobs.worker.wakeup.postgresql import PostgresListener
from jobs.worker.wakeup.redis import RedisListener
from jobs.worker.watchdog import Watchdog


def listeners(wake: Callable[[str], None], watchdog: Watchdog) -> list[Listener]:
    """The listeners that the settings ask for; empty for a worker that only polls."""
    chosen = listeners_to_workers(wake, watchdog)
    if settings.REDIS_URL:
        chosen.append(RedisListener(wake))
    return chosen


def listeners_to_workers(wake: Callable[[str], None], watchdog: Watchdog) -> list[Listener]:
    """Those that hear what workers tell each other: one, or none."""
    if settings.WAKEUP_NOTIFY and (settings.LISTEN_DATABASE_URL or not settings.PGBOUNCER):
        return [PostgresListener(wake, watchdog)]
    return []
