"""`make bench`: the engine's own figures beside the floor.

    python -m bench                 # 5 rounds
    python -m bench --quick         # 1 round, under 90 seconds
    python -m bench --quick --json  # one JSON object on standard output

Progress goes to standard error. `python -m bench.pickup` and `python -m bench.http_submit` measure
pick-up latency and submissions over HTTP.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from bench import drain, floor
from bench.environment import percentiles, prepared, say

SUBMISSIONS = 2_000
BULK = 50_000
FINISHED_ROWS = 1_000_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()
    with prepared() as folder:
        figures = measure(folder, rounds=1 if arguments.quick else 5)
    if arguments.json:
        json.dump(figures, sys.stdout)
        return
    own = figures["contenders"]["mediaproc"]
    print(f"floor: {figures['floor']:.0f} jobs/s (pgbench, 4 clients, two commits a job)")
    for name, value in own.items():
        print(f"{name:<32}{value if isinstance(value, dict) else round(value, 2)}")


def measure(folder: Path, rounds: int) -> dict[str, Any]:
    """All figures, as medians over the rounds; ratios are to the floor of the same round."""
    from bench.pickup import latencies

    found: dict[str, list[float]] = {}
    waits: list[float] = []
    floors: list[float] = []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        before = floor.measure(os.environ["DATABASE_URL"], folder, drain.FLOOR_JOBS)
        rates = {
            "drain": drain.measure(drain.JOBS["chunks"], drain.MODES["chunks"]),
            "drain_single": drain.measure(drain.JOBS["single"], drain.MODES["single"]),
        }
        after = floor.measure(os.environ["DATABASE_URL"], folder, drain.FLOOR_JOBS)
        here = (before + after) / 2
        floors.append(here)
        for name, rate in rates.items():
            found.setdefault(name, []).append(rate)
            found.setdefault(f"{name}_ratio", []).append(rate / here)
        found.setdefault("enqueue", []).append(_enqueue())
        found.setdefault("bulk", []).append(_bulk())
        waits += latencies(folder, 100, "notify", WAKEUP_NOTIFY="True", REDIS_URL="")
        ratio = _drain_with_history() / rates["drain"]
        found.setdefault("drain_with_1m_finished_ratio", []).append(ratio)
    own: dict[str, Any] = {name: statistics.median(values) for name, values in found.items()}
    own["latency_ms"] = percentiles(waits)
    return {"floor": statistics.median(floors), "contenders": {"mediaproc": own}}


def _enqueue() -> float:
    """Submissions a second through the Python door, one at a time."""
    from jobs.queue.submit import NewJob, submit

    new = NewJob("noop", "a.mp4", "avi", {"text": "x" * 180})
    began = time.perf_counter()
    for _ in range(SUBMISSIONS):
        submit(new)
    return SUBMISSIONS / (time.perf_counter() - began)


def _bulk() -> float:
    from jobs.queue.submit import NewJob, submit_many

    new = NewJob("noop", "a.mp4", "avi", {"text": "x" * 180})
    began = time.perf_counter()
    submit_many(new for _ in range(BULK))
    return BULK / (time.perf_counter() - began)


def _drain_with_history() -> float:
    """The drain beside a million finished rows."""
    from django.db import connection

    say(f"drain beside {FINISHED_ROWS} finished rows")
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE jobs_job, jobs_jobmetrics")
        # History is written past the queue: it was never in it.
        cursor.execute(
            "INSERT INTO jobs_job (id, job_type, source_file, target_format, parameters, priority,"
            " status, queued_at, started_at, completed_at, attempt)"
            " SELECT gen_random_uuid(), 'noop', 'a.mp4', 'avi', jsonb_build_object('text',"
            " repeat('x', 180)), 9, 'COMPLETED', now(), now(), now(), 1"
            " FROM generate_series(1, %s)",
            [FINISHED_ROWS],
        )
        cursor.execute("VACUUM ANALYZE jobs_job")
    return drain.measure(drain.JOBS["chunks"], drain.MODES["chunks"], empty=False)


if __name__ == "__main__":
    main()
