"""Who works: worker processes and pools; let one end, pause and resume one."""

from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from jobs.console.actor import actor
from jobs.console.cells import age, pairs, seconds
from jobs.console.output import Column, Output, plain
from jobs.console.refusals import Refused
from jobs.models import PausedPool, WorkerProcess
from jobs.priorities import Pool, parse_pools
from jobs.queue import pause
from jobs.queue.pause import NoSuchPool

WORKS = "works"
DRAINS = "drains"
MISSING = "missing"

WORKERS = (
    *plain("name", "state"),
    Column("silent_seconds", seconds, title="silent"),
    Column("started_at", age, title="age"),
    Column("pools", pairs, title="threads"),
    Column("wakeup", pairs),
    Column("version"),
)
WORKERS_LEAST = 5
POOLS = (
    *plain("pool", "priorities", "threads"),
    Column("paused_since", age, title="paused for"),
    *plain("paused_by", "reason"),
)


def show_workers(output: Output) -> None:
    """Worker processes, also those that are missing: not heard of for a lease time."""
    known = WorkerProcess.objects.annotate(now=Now())
    output.rows(WORKERS, [_worker(one, one.now) for one in known], least=WORKERS_LEAST)


def _worker(one: WorkerProcess, now: Any) -> dict[str, Any]:
    silent = (now - one.seen_at).total_seconds()
    draining = DRAINS if one.drain_requested else WORKS
    return {
        "name": one.name,
        "state": MISSING if silent > settings.JOB_LEASE_SECONDS else draining,
        "version": one.version,
        "pools": one.pools,
        "wakeup": one.wakeup,
        "started_at": one.started_at,
        "silent_seconds": round(silent, 1),
        "draining": one.drain_requested,
    }


def drain_worker(output: Output, name: str) -> None:
    """The process finishes what it has and ends. Raises Refused."""
    if not pause.drain(name):
        names = WorkerProcess.objects.values_list("name", flat=True)
        raise Refused(f"There is no worker {name!r}. Known workers: {', '.join(names) or 'none'}.")
    output.said(f"Worker {name} finishes what it runs and ends.", worker=name, draining=True)


def show_pools(output: Output) -> None:
    """The pools of POOLS and which are paused, also paused ones that POOLS no longer names."""
    served, resting = parse_pools(settings.POOLS), pause.paused()
    output.rows(
        POOLS,
        [_pool(name, served.get(name), resting.get(name)) for name in {**served, **resting}],
    )


def _pool(name: str, pool: Pool | None, rest: PausedPool | None) -> dict[str, Any]:
    return {
        "pool": name,
        "priorities": pool and f"{pool.lowest}-{pool.highest}",
        "threads": pool and pool.threads,
        "paused_since": rest and rest.paused_at,
        "paused_by": rest and rest.paused_by,
        "reason": rest and rest.reason,
    }


def pause_pool(output: Output, pool: str, reason: str) -> None:
    """The pool claims nothing until it is resumed. Raises NoSuchPool."""
    pause.pause(pool, actor=actor(), reason=reason)
    output.said(f"Pool {pool} is paused; what runs goes on to its end.", pool=pool, paused=True)


def resume_pool(output: Output, pool: str) -> None:
    """The pool claims again. Raises NoSuchPool when it is neither in POOLS nor was paused."""
    was = pause.resume(pool)
    if not was and pool not in parse_pools(settings.POOLS):
        raise NoSuchPool(pool)
    said = "is served again" if was else "was not paused"
    output.said(f"Pool {pool} {said}.", pool=pool, paused=False)
