"""Whether the queue's statements cost the same however large the table, and under an old snapshot.

    python -m bench.size                              # about 13 minutes
    python -m bench.size --only finished queued       # about a minute
    python -m bench.size --only snapshot --minutes 2
    python -m bench.size --json

Buffers are the pages of 8 kB that a statement touched; they do not depend on the machine. The
milliseconds are the statement's own, without its commit.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bench import rows
from bench.environment import prepared, say
from bench.held_snapshot import held_snapshot

if TYPE_CHECKING:
    from pathlib import Path

FINISHED = (0, 100_000, 1_000_000)
QUEUED = 1_000_000
MINUTES = 5.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument(
        "--minutes",
        type=float,
        default=MINUTES,
        help=f"how long the snapshot is held (default {MINUTES:.0f})",
    )
    parts: dict[str, Callable[[Path, float], Any]] = {
        "finished": lambda *_: finished(),
        "queued": lambda *_: queued(),
        "snapshot": held_snapshot,
        "no-snapshot": lambda folder, minutes: held_snapshot(folder, minutes, held=False),
    }
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts), metavar="PART")
    arguments = parser.parse_args()
    with prepared() as folder:
        found = {}
        for name in arguments.only:
            _empty()
            found[name] = parts[name](folder, arguments.minutes)
    if arguments.json:
        json.dump(found, sys.stdout)
        print()
    else:
        print("\n".join(_lines(found)))


def finished() -> list[dict[str, float]]:
    """Claim and complete beside more and more finished rows."""
    from bench.costs import claim_and_complete

    found = []
    there = 0
    for jobs in FINISHED:
        _run(*rows.finished(jobs - there), *rows.SETTLE)
        there = jobs
        found.append({"finished": jobs, **claim_and_complete()})
        say(f"{jobs:,} finished: {found[-1]}")
    return found


def queued() -> list[dict[str, float]]:
    """Claim and complete at the head of a long queue."""
    from bench.costs import claim_and_complete

    _run(rows.queued(QUEUED), *rows.SETTLE)
    return [{"queued": QUEUED, **claim_and_complete()}]


def _empty() -> None:
    _run("TRUNCATE jobs_job, jobs_jobmetrics")


def _run(*statements: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _lines(found: dict[str, Any]) -> Iterable[str]:
    for name, part in found.items():
        yield f"\n{name}"
        if "snapshot" not in name:
            yield from _table(part)
            continue
        yield from _table(part["looks"])
        first, last = part["burst_first"], part["burst_last"]
        yield f"{first:,.0f} jobs/s in a burst before, {last:,.0f} at the end"


def _table(figures: list[dict[str, float]]) -> Iterable[str]:
    heads = list(figures[0])
    yield "  ".join(heads)
    for line in figures:
        yield "  ".join(f"{line[head]:,g}".rjust(len(head)) for head in heads)


if __name__ == "__main__":
    main()
