"""A worker process that writes down how long its claims take.

    python -m bench.timed_worker FILE run_workers --queue high

Each step that claims is a line: the nanoseconds of CLOCK_MONOTONIC, and how many it took. What the
step settles before, and the commit, are in it.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import django

from bench import marks
from bench.environment import percentiles


def main() -> None:
    """Be manage.py, with one function wrapped."""
    path, *arguments = sys.argv[1:]
    django.setup()
    from django.core.management import execute_from_command_line

    from jobs.queue.claim import Demand, Position
    from jobs.queue.finish import Finished
    from jobs.queue.step import Stepped, step
    from jobs.worker import steps

    lines = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def timed(
        finished: list[Finished], demand: Demand, want: int, after: Mapping[int, Position]
    ) -> Stepped:
        began = marks.now()
        stepped = step(finished, demand, want, after)
        if want:
            now = marks.now()
            os.write(lines, f"{now} {now - began}\n".encode())
        return stepped

    vars(steps)["step"] = timed
    execute_from_command_line(["manage.py", *arguments])


def claim_times(path: Path, since: int) -> dict[str, float]:
    """Milliseconds of the claims that ended after `since`: p50, p95, p99."""
    lines = (line.split() for line in path.read_text().splitlines())
    return percentiles([int(taken) / 1e6 for ended, taken in lines if int(ended) > since])


if __name__ == "__main__":
    main()
