"""What an old snapshot costs that stays open while a worker process works: a forgotten session, a
dump, a replica's query. Nothing that dies meanwhile can be removed."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg

from bench import marks, rows
from bench.environment import say, serving
from bench.timed_worker import claim_times

RATE = 1_000
BATCH_SECONDS = 0.1
BURST = 100_000
LOOKS = 5
LONGEST_INTERVAL_SECONDS = 60.0


def held_snapshot(folder: Path, minutes: float, *, held: bool = True) -> dict[str, Any]:
    """Looks, minute by minute, beside a steady stream; a burst before, and one at the end.

    held: False for the same without the snapshot.
    """
    times = folder / "claims.txt"
    times.unlink(missing_ok=True)
    program = ["-m", "bench.timed_worker", str(times), "run_workers", "--queue", "high"]
    with serving(program):
        first = _burst()
        with _snapshot() if held else nullcontext():
            with _stream():
                found = list(_watch(times, minutes * 60))
            last = _burst()
    return {"looks": found, "burst_first": first, "burst_last": last, "burst_ratio": last / first}


def _watch(times: Path, seconds: float) -> Iterator[dict[str, float]]:
    from bench import costs
    from jobs.models import JobMetrics

    interval = min(LONGEST_INTERVAL_SECONDS, seconds / LOOKS)
    began = time.monotonic()
    while True:
        since = marks.now()
        # A short window at the beginning; later ones are as long as the interval.
        time.sleep(interval if time.monotonic() - began > 1 else min(5.0, interval))
        claims = claim_times(times, since)
        minute = round((time.monotonic() - began) / 60, 1)
        line = {
            "minute": minute,
            "jobs": float(JobMetrics.objects.count()),
            **costs.looks(),
            **{f"worker_claim_ms_{name}": value for name, value in claims.items()},
        }
        say(f"minute {minute}: {line}")
        yield line
        if time.monotonic() - began >= seconds:
            return


@contextmanager
def _snapshot() -> Iterator[None]:
    from jobs.queue.database import direct_parameters

    with psycopg.connect(**direct_parameters()) as holder:
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT count(*) FROM jobs_job")
        yield


@contextmanager
def _stream() -> Iterator[None]:
    """RATE jobs a second, in batches, from a thread."""
    stopping = threading.Event()
    thread = threading.Thread(target=_submit_until, args=(stopping,), name="stream")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _submit_until(stopping: threading.Event) -> None:
    from django.db import connection

    from bench.costs import NEW
    from jobs.queue.submit import submit_many

    due = time.monotonic()
    while not stopping.wait(max(0.0, due - time.monotonic())):
        submit_many(NEW for _ in range(int(RATE * BATCH_SECONDS)))
        due += BATCH_SECONDS
    connection.close()


def _burst() -> float:
    """Jobs a second of many that come at once."""
    from django.db import connection

    from jobs.models import Job

    with connection.cursor() as cursor:
        cursor.execute(rows.queued(BURST))
        began = time.monotonic()
        cursor.execute("NOTIFY jobs_queued, '9'")
    while Job.objects.filter(status="QUEUED").exists() or (
        Job.objects.filter(status="IN_PROGRESS").exists()
    ):
        time.sleep(0.02)
    return BURST / (time.monotonic() - began)
