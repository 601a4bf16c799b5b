"""Pause and resume pools, and have a worker process end in order: wishes that workers look at.

The rows stay, so a pause outlives every restart. Workers see them at once by a signal, and without
one with their next heartbeat.
"""

from django.conf import settings
from django.db import transaction

from jobs.models import CLOCK, PausedPool, WorkerProcess
from jobs.priorities import parse_pools
from jobs.queue.signal import POOLS, announce


class NoSuchPool(Exception):
    """POOLS names no such pool."""

    def __init__(self, pool: str) -> None:
        known = ", ".join(parse_pools(settings.POOLS))
        super().__init__(f"There is no pool {pool!r}. Known pools: {known} (from POOLS).")
        self.pool = pool


def pause(pool: str, *, actor: str = "", reason: str = "") -> None:
    """From now on the pool claims nothing; what runs goes on. Paused again, the new reason counts.

    Raises NoSuchPool when POOLS does not name it.
    """
    if pool not in parse_pools(settings.POOLS):
        raise NoSuchPool(pool)
    PausedPool.objects.update_or_create(
        name=pool, defaults={"paused_at": CLOCK, "paused_by": actor, "reason": reason}
    )
    _announce()


def resume(pool: str) -> bool:
    """The pool claims again. False when it was not paused."""
    deleted, _ = PausedPool.objects.filter(name=pool).delete()
    _announce()
    return bool(deleted)


def paused() -> dict[str, PausedPool]:
    """The paused pools by name."""
    return PausedPool.objects.in_bulk()


def drain(worker_name: str) -> bool:
    """Have the worker process of this name (host:pid) end as by SIGTERM. False: there is none."""
    asked = WorkerProcess.objects.filter(name=worker_name).update(drain_requested=True)
    _announce()
    return bool(asked)


def _announce() -> None:
    transaction.on_commit(lambda: announce(POOLS), robust=True)
