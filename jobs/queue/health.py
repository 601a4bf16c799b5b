"""Whether the database answers and every pool has a live worker. Reads only."""

import time
from collections import Counter
from dataclasses import dataclass

import psycopg
import structlog
from django.conf import settings

from jobs.priorities import parse_pools
from jobs.queue.database import direct_parameters

# Together, also with two addresses for one host name, about six seconds.
CONNECT_SECONDS = 2
STATEMENT_SECONDS = 2

_LIVE = """
SELECT pools, wakeup FROM jobs_workerprocess
WHERE seen_at > clock_timestamp() - make_interval(secs => %(seconds)s)
"""

log = structlog.get_logger(__name__)


class DatabaseDown(Exception):
    """The database cannot be reached or does not answer in time."""


@dataclass(frozen=True, slots=True)
class Crew:
    """The live workers of a pool."""

    processes: int
    threads: int


@dataclass(frozen=True, slots=True)
class Health:
    """What live workers last reported.

    answered_in_ms: how long the database took, with the connection. crews: by pool, for every pool
    of POOLS. wakeup: by signal, how many worker processes are in which state.
    """

    answered_in_ms: float
    crews: dict[str, Crew]
    wakeup: dict[str, dict[str, int]]

    @property
    def degraded(self) -> bool:
        """Whether a pool has no live worker, so that its jobs wait."""
        return not all(crew.processes for crew in self.crews.values())


def health() -> Health:
    """Look now. A worker lives if it was seen within one lease time, which is three heartbeats.

    Raises DatabaseDown, within about six seconds.
    """
    started = time.monotonic()
    try:
        live = _live_workers()
    except psycopg.Error as error:
        log.warning("health.database_down", error=f"{type(error).__name__}: {error}".strip())
        raise DatabaseDown from error
    return Health(
        answered_in_ms=round((time.monotonic() - started) * 1000, 1),
        crews={pool: _crew(pool, live) for pool in parse_pools(settings.POOLS)},
        wakeup=_wakeup(live),
    )


def _live_workers() -> list[tuple[dict[str, int], dict[str, str]]]:
    """Ask on a new connection: the one that this thread keeps may be the very thing that hangs."""
    with psycopg.connect(**direct_parameters(connect_timeout=CONNECT_SECONDS)) as own:
        own.execute("SELECT set_config('statement_timeout', %s, true)", [f"{STATEMENT_SECONDS}s"])
        return own.execute(_LIVE, {"seconds": settings.JOB_LEASE_SECONDS}).fetchall()


def _crew(pool: str, live: list[tuple[dict[str, int], dict[str, str]]]) -> Crew:
    threads = [pools[pool] for pools, _ in live if pool in pools]
    return Crew(processes=len(threads), threads=sum(threads))


def _wakeup(live: list[tuple[dict[str, int], dict[str, str]]]) -> dict[str, dict[str, int]]:
    states: dict[str, Counter[str]] = {}
    for _, wakeup in live:
        for signal, state in wakeup.items():
            states.setdefault(signal, Counter())[state] += 1
    return {signal: dict(counted) for signal, counted in sorted(states.items())}
