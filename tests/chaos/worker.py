"""One worker process: the ordinary `run_workers` or `remote_worker`, with the points of the plan.

python -m tests.chaos.worker SLOT run_workers --queue high ...
"""

import os
import resource
import sys
from pathlib import Path

import psutil

MEMORY_BYTES = 2 << 30  # for a job that eats memory, above what a worker has


def main() -> None:
    """Everything comes from the environment, as `Crew` sets it."""
    slot, *arguments = sys.argv[1:]
    import django

    django.setup()
    from tests.chaos import mutants, points, remote_seams, seams
    from tests.chaos.ledger import Ledger
    from tests.chaos.plan import Plan

    plan = Plan.read(Path(os.environ["CHAOS_PLAN"]))
    points.install(
        points.Points(
            Ledger(os.environ["CHAOS_LEDGER"]),
            slot,
            [fault for fault in plan.faults if fault.slot == slot],
            Path(os.environ["CHAOS_COUNTERS"]),
        )
    )
    if mutant := os.environ.get("CHAOS_MUTANT"):
        mutants.MUTANTS[mutant].in_worker()
    seams.install()
    remote_seams.install()
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + MEMORY_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *arguments])


if __name__ == "__main__":
    main()
