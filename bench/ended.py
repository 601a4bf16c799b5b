"""What adding up, statistics and pruning cost beside many ended jobs.

    python -m bench.ended                      # a million, about three minutes
    python -m bench.ended --jobs 100000 --json

The jobs ended over the last 40 days, of four types, three priorities and twenty owners; a tenth
failed. Milliseconds are those of a call from Python, the middle one of some.
"""

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.environment import percentiles, prepared, say

JOBS = 1_000_000
DAYS = 40
CALLS = 11
DAY = 86_400.0

_JOBS = """
INSERT INTO jobs_job (id, job_type, source_file, target_format, parameters, priority, status,
  owner_id, source_bytes, created_at, queued_at, started_at, completed_at, attempt)
SELECT gen_random_uuid(), 'type-' || n %% 4, 'a.mp4', 'avi', '{}', 1 + n %% 3 * 4,
  CASE WHEN n %% 10 = 0 THEN 'FAILED' ELSE 'COMPLETED' END,
  1 + n %% 20, 1000 * (1 + n %% 5000), at - interval '2 minutes', at - interval '2 minutes',
  at - make_interval(secs => 119 * random()), at, 1
FROM generate_series(1, %(jobs)s) AS n,
  LATERAL (SELECT clock_timestamp() - n * make_interval(secs => %(gap)s) AS at) AS clock
"""
_METRICS = """
INSERT INTO jobs_jobmetrics
  (id, job_id, peak_cpu_usage, memory_usage_mb, processing_time_seconds, created_at)
SELECT id, id, 0, 0, 1, completed_at FROM jobs_job WHERE status = 'COMPLETED'
"""
_OWNERS = """
INSERT INTO auth_user (id, username, password, first_name, last_name, email, is_superuser, is_staff,
  is_active, date_joined)
SELECT n, 'user-' || n, '', '', '', '', false, false, true, now() FROM generate_series(1, 20) AS n
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"default {JOBS:,}")
    arguments = parser.parse_args()
    with prepared():
        found = measure(arguments.jobs)
    if arguments.json:
        json.dump(found, sys.stdout)
        print()
    else:
        print("\n".join(f"{name}  {value}" for name, value in found.items()))


def measure(jobs: int) -> dict[str, Any]:
    """All figures."""
    _make(jobs)
    found: dict[str, Any] = _rolling_up(jobs)
    say(f"{found}")
    found |= {
        "counts_ms": _middle(_counts),
        "counts_of_an_owner_ms": _middle(lambda: _counts(7)),
        "statistics_hour_ms": _middle(lambda: _statistics(DAY / 24)),
        "statistics_day_ms": _middle(lambda: _statistics(DAY)),
        "statistics_40_days_ms": _middle(lambda: _statistics(DAYS * DAY)),
    }
    say(f"{found}")
    with _submitting() as waits:
        time.sleep(10)
    found["submit_alone_ms"] = percentiles(waits)
    with _submitting() as waits:
        found |= _pruning()
    found["submit_beside_pruning_ms"] = percentiles(waits)
    return found


def _make(jobs: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_OWNERS)
        cursor.execute(_JOBS, {"jobs": jobs, "gap": DAYS * DAY / jobs})
        cursor.execute(_METRICS)
        cursor.execute("VACUUM ANALYZE")
    say(f"{jobs:,} jobs are there")


def _rolling_up(jobs: int) -> dict[str, float]:
    from jobs.models import JobTotal
    from jobs.stats.rollup import condense, roll_up

    began = time.monotonic()
    slices = [_timed(roll_up)]
    while slices[-1][1]:
        slices.append(_timed(roll_up))
    seconds = time.monotonic() - began
    minutes = JobTotal.objects.count()
    began = time.monotonic()
    while condense():
        pass
    return {
        "roll_up_jobs_a_second": round(jobs / seconds),
        "roll_up_longest_call_ms": max(ms for ms, _ in slices),
        "totals_of_minutes": minutes,
        "condense_seconds": round(time.monotonic() - began, 1),
        "totals": JobTotal.objects.count(),
    }


def _pruning() -> dict[str, float]:
    from jobs.queue.prune import Pruner

    pruner = Pruner()
    began = time.monotonic()
    slices = [_timed(pruner.sweep)]
    while slices[-1][1]:
        time.sleep(0.65)  # as maintenance does
        slices.append(_timed(pruner.sweep))
    from jobs.models import Job

    seconds = time.monotonic() - began
    return {
        "prune_seconds": round(seconds, 1),
        "prune_longest_call_ms": max(ms for ms, _ in slices),
        "jobs_left": Job.objects.filter(status__in=("COMPLETED", "FAILED")).count(),
    }


@contextmanager
def _submitting() -> Iterator[list[float]]:
    """Another thread submits and settles job after job; how long each took, in milliseconds."""
    waits: list[float] = []
    stop = threading.Event()

    def work() -> None:
        from django.db import connection

        from bench.costs import DEMAND, DONE, NEW
        from jobs.queue.finish import Finished
        from jobs.queue.step import step
        from jobs.queue.submit import submit

        while not stop.is_set():
            began = time.monotonic()
            submit(NEW)
            step([Finished(one, DONE) for one in step([], DEMAND, 1).claimed], DEMAND, 0)
            waits.append((time.monotonic() - began) * 1000)
            time.sleep(0.005)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield waits
    finally:
        stop.set()
        thread.join()


def _counts(owner: int | None = None) -> object:
    from jobs.stats.statistics import counts

    return counts(owner)


def _statistics(seconds: float) -> object:
    from jobs.stats import statistics as figures

    return figures.statistics(seconds)


def _middle(call: Callable[[], object]) -> float:
    return statistics.median(_timed(call)[0] for _ in range(CALLS))


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    began = time.monotonic()
    value = call()
    return round((time.monotonic() - began) * 1000, 1), value


if __name__ == "__main__":
    main()
