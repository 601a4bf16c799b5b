"""How fast one worker process with 4 threads empties the queue, beside the floor.

    python -m bench.drain                  # short jobs in chunks, and one at a time
    python -m bench.drain --rounds 5 --json

No-op jobs with 200 bytes of parameters; each leaves status, timestamps, lease and a metrics row.
The rate is jobs over the time from the first start to the last completion, as the rows say.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

from bench import floor
from bench.environment import prepared, say, worker

PRIORITY = 9
MODES = {"chunks": "500", "single": "1"}
JOBS = {"chunks": 60_000, "single": 8_000}
FLOOR_JOBS = 8_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()
    with prepared() as folder:
        figures = _rounds(folder, arguments.rounds)
    if arguments.json:
        json.dump(figures, sys.stdout)
        return
    print(f"{'':<10}{'jobs/s':>10}{'min':>10}{'max':>10}{'x floor':>10}")
    for name, values in figures.items():
        middle = statistics.median(values)
        ratio = middle / statistics.median(figures["floor"])
        print(f"{name:<10}{middle:10.0f}{min(values):10.0f}{max(values):10.0f}{ratio:10.2f}")


def _rounds(folder: Path, rounds: int) -> dict[str, list[float]]:
    figures: dict[str, list[float]] = {"floor": []}
    for number in range(rounds):
        for mode, largest in MODES.items():
            figures["floor"].append(floor.measure(os.environ["DATABASE_URL"], folder, FLOOR_JOBS))
            rate = measure(JOBS[mode], largest)
            figures.setdefault(mode, []).append(rate)
            say(f"round {number + 1}: floor {figures['floor'][-1]:.0f}, {mode} {rate:.0f} jobs/s")
    return figures


def measure(jobs: int, largest_chunk: str, *, empty: bool = True) -> float:
    """Jobs a second through one new worker process; `empty`: the tables are emptied before."""
    from django.db import connection

    from jobs.models import Job
    from jobs.queue.submit import NewJob, submit_many

    if empty:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE jobs_job, jobs_jobmetrics")
    with worker("--queue", "high", WORKER_LARGEST_CHUNK=largest_chunk):
        new = NewJob("noop", "a.mp4", "avi", {"text": "x" * 180}, PRIORITY)
        ids = submit_many(new for _ in range(jobs))
        # Seldom, and by the partial indexes: the figure is the rows' own.
        while Job.objects.filter(status="QUEUED").exists() or (
            Job.objects.filter(status="IN_PROGRESS").exists()
        ):
            time.sleep(0.25)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), extract(epoch FROM max(completed_at) - min(started_at))"
            " FROM jobs_job JOIN jobs_jobmetrics ON job_id = jobs_job.id"
        )
        [(done, seconds)] = cursor.fetchall()
    if done != len(ids):
        raise RuntimeError(f"{done} of {len(ids)} jobs were completed")
    return float(done / float(seconds))


if __name__ == "__main__":
    main()
