"""Our drain by two and by four worker processes, each twice, between two drains by one.

The jobs are put in by a transaction that commits when all processes serve and each has counted the
others: a process that is still starting would take a core from those that work.
"""

from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean

import psycopg

from bench import measure, memory, rows
from bench.contenders.peer import Peer
from bench.databases import Databases
from bench.fifo import Fifo
from tests.waiting import wait_until

JOBS = 200_000
ORDER = (1, 2, 1, 4, 1, 4, 1, 2, 1)
# A process counts when it refreshes its row.
_COUNTED = "SELECT min(seen_at) > max(started_at) FROM jobs_workerprocess"


def processes(peer: Peer, databases: Databases, folder: Path) -> dict[str, float]:
    """The rates as ratios to that of one process nearby."""
    rates = [_rate(peer, databases, folder, count) for count in ORDER]
    found: dict[int, list[float]] = defaultdict(list)
    for place, count in enumerate(ORDER):
        if count > 1:
            found[count].append(rates[place] * 2 / (rates[place - 1] + rates[place + 1]))
    return {
        "drain_1_process": fmean(rates[::2]),
        **{f"drain_{count}_processes_ratio": fmean(ratios) for count, ratios in found.items()},
    }


def _rate(peer: Peer, databases: Databases, folder: Path, count: int) -> float:
    peer.fresh()
    fifo = Fifo(folder / "marks")
    environment = {"BENCH_PIPE": str(fifo.path), "BENCH_LAST": str(JOBS - 1)}
    try:
        with psycopg.connect(databases.url(peer.database)) as filling, ExitStack() as stack:
            filling.execute(rows.queued(JOBS).encode())
            alive = [stack.enter_context(peer.worker("pair", **environment)) for _ in range(count)]

            def all_alive() -> None:
                for one in alive:
                    one()

            with databases.connect(peer.database) as looking:
                wait_until(
                    lambda: len(memory.worker_processes(looking)) == count,
                    f"{count} worker processes serve",
                    seconds=60,
                )
                if count > 1:
                    wait_until(
                        lambda: looking.execute(_COUNTED).fetchone() == (True,),
                        "each has counted the others",
                        seconds=60,
                    )
            filling.commit()
            databases.run(peer.database, "NOTIFY jobs_queued, '9'")
            seconds = measure.seconds(peer, JOBS, fifo, all_alive)
            measure.check_completed(peer, JOBS)
    finally:
        fifo.close()
    return JOBS / seconds
