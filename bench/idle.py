"""What idle worker processes cost, and what one submission sets off among them.

    python -m bench.idle                      # 1 process, then 30
    python -m bench.idle --workers 100        # 1 process, then 100: 7 GB of memory
    python -m bench.idle --json

Statements are counted by pg_stat_statements. CPU is in percent of one core.
"""

import argparse
import json
import sys
import time

from bench.crew import crew
from bench.environment import prepared, say

WORKERS = 30
SECONDS = 20.0
SUBMISSIONS = 10
PAUSE_SECONDS = 0.3
SETTLING_SECONDS = 3.0
CONNECTIONS_A_WORKER = 12
SHOWN = 12

Figures = dict[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=WORKERS, help=f"default {WORKERS}")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"default {SECONDS:.0f}")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()
    most = str(arguments.workers * CONNECTIONS_A_WORKER + 100)
    with prepared(shared_preload_libraries="pg_stat_statements", max_connections=most):
        found = [measure(count, arguments.seconds) for count in (1, arguments.workers)]
    if arguments.json:
        json.dump(found, sys.stdout)
        print()
        return
    for name in found[0]:
        print(f"{name:<36}" + "".join(f"{figures[name]:>12,.2f}" for figures in found))


def measure(count: int, seconds: float) -> Figures:
    """So many processes, idle; then with a submission now and then."""
    from bench.usage import connections, resident_mb

    with crew(count, "--queue", "high") as workers:
        time.sleep(SETTLING_SECONDS)
        idle = _idle(workers, seconds)
        return {
            "workers": count,
            "connections a worker": connections() / count,
            "resident MB a worker": resident_mb(workers),
            **idle,
            **_submissions(workers, idle),
        }


def _idle(workers: list[int], seconds: float) -> Figures:
    from bench.usage import watched

    with watched(workers) as usage:
        time.sleep(seconds)
        used = usage()
    for text, calls in list(used.calls.items())[:SHOWN]:
        say(f"{calls / used.seconds:8.2f}/s  {' '.join(text.split())[:100]}")
    return {
        "statements/s": used.statements / used.seconds,
        "claims/s": used.count("jobs_step") / used.seconds,
        "notifies/s": used.count("pg_notify", "NOTIFY") / used.seconds,
        "CPU of workers, %": 100 * used.workers_cpu / used.seconds,
        "CPU of PostgreSQL, %": 100 * used.postgres_cpu / used.seconds,
    }


def _submissions(workers: list[int], idle: Figures) -> Figures:
    """What one submission sets off, above what goes on anyway."""
    from bench.costs import NEW
    from bench.usage import watched
    from jobs.queue.submit import submit

    submit(NEW)
    time.sleep(PAUSE_SECONDS)
    with watched(workers) as usage:
        for _ in range(SUBMISSIONS):
            submit(NEW)
            time.sleep(PAUSE_SECONDS)
        used = usage()
    claims = used.count("jobs_step") - idle["claims/s"] * used.seconds
    cpu = used.workers_cpu + used.postgres_cpu
    cpu -= (idle["CPU of workers, %"] + idle["CPU of PostgreSQL, %"]) / 100 * used.seconds
    return {
        "claims a submission": claims / SUBMISSIONS,
        "CPU a submission, ms": 1000 * cpu / SUBMISSIONS,
    }


if __name__ == "__main__":
    main()
