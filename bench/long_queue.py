"""A claim from a million queued jobs against one from a nearly empty queue, and a worker's memory.

The two queues stand in two databases of one server. Claims alternate between them, so that whatever
else the machine does meets both alike. Each claim takes one job; its commit is in the time.
"""

import copy
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from bench import memory, rows
from bench.contenders.peer import Peer
from bench.databases import Databases
from bench.environment import percentiles
from bench.fifo import Fifo
from bench.measure import START_SECONDS
from jobs.queue.claim import Demand, pack_positions

QUEUED = 1_000_000
CLAIMS = 2_000
WARM_UP = 100
DRAIN_SECONDS = 8.0
DEMAND = Demand(7, 10, "bench", 30.0)
_CLAIM = "SELECT jobs_step(NULL, NULL, %s, %s, %s, 1, %s, %s)"
_COMPLETE = "SELECT jobs_complete(%s::json)"


class LongQueue:
    """Makes the long queue once, and fills it up at each call."""

    def __init__(self) -> None:
        self._long: Peer | None = None

    def __call__(self, peer: Peer, databases: Databases, folder: Path) -> dict[str, float]:
        """Milliseconds of a claim, their ratio, megabytes of a worker that drains the queue."""
        long = self._long = self._long or self._make(peer, databases)
        peer.fresh()
        for each, jobs in ((long, QUEUED), (peer, 1)):
            _fill_up(databases, each, jobs)
        waits = _alternate(databases, peer, long)
        few, many = percentiles(waits[peer.database]), percentiles(waits[long.database])
        return {
            "claim_ms_p50_empty_queue": few["p50"],
            "claim_ms_p99_empty_queue": few["p99"],
            "claim_ms_p50_1m_queued": many["p50"],
            "claim_ms_p99_1m_queued": many["p99"],
            "claim_p99_1m_queued_ratio": many["p99"] / few["p99"],
            "memory_mb_1m_queued": _memory(databases, long, folder),
        }

    @staticmethod
    def _make(peer: Peer, databases: Databases) -> Peer:
        long = copy.copy(peer)
        long.name = f"{peer.name}-long"
        databases.create(long.database, peer.template)
        return long


def _fill_up(databases: Databases, peer: Peer, jobs: int) -> None:
    with databases.connect(peer.database) as connection:
        waiting = _value(connection, "SELECT count(*) FROM jobs_job WHERE status = 'QUEUED'")
        connection.execute(rows.queued(jobs - waiting).encode())
    for statement in rows.SETTLE:
        databases.run(peer.database, statement)


def _alternate(databases: Databases, *peers: Peer) -> dict[str, list[float]]:
    waits: dict[str, list[float]] = {peer.database: [] for peer in peers}
    connections = {peer.database: databases.connect(peer.database) for peer in peers}
    for connection in connections.values():
        connection.prepare_threshold = 0
    for number in range(-WARM_UP, CLAIMS):
        for name, connection in connections.items():
            milliseconds = _claim(connection)
            if number >= 0:
                waits[name].append(milliseconds)
    for connection in connections.values():
        connection.close()
    return waits


def _claim(connection: psycopg.Connection[Any]) -> float:
    """Put one job in, claim one, settle it; milliseconds of the claim."""
    connection.execute(rows.queued(1).encode())
    values = [DEMAND.highest, *pack_positions(DEMAND, {}), DEMAND.worker, DEMAND.lease_seconds]
    began = time.perf_counter()
    _, [[job_id, lease, *_]] = _value(connection, _CLAIM, values)
    taken = (time.perf_counter() - began) * 1000
    metrics = {"metrics_id": str(uuid4()), "cpu": 0, "memory": 0, "seconds": 0}
    done = [{"id": job_id, "lease": lease, **metrics}]
    connection.execute(_COMPLETE, [json.dumps(done)])
    return taken


def _memory(databases: Databases, peer: Peer, folder: Path) -> float:
    """The peak of a worker process that has drained the long queue for some seconds."""
    fifo = Fifo(folder / "marks")
    try:
        with peer.worker("pair", BENCH_PIPE=str(fifo.path), BENCH_LAST="0") as alive:
            fifo.next(START_SECONDS, alive)
            time.sleep(DRAIN_SECONDS)
            alive()
            with databases.connect(peer.database) as connection:
                [pid] = memory.worker_processes(connection)
            return memory.peak_mb(pid)
    finally:
        fifo.close()


def _value(connection: psycopg.Connection[Any], sql: str, values: Any = None) -> Any:
    row = connection.execute(sql.encode(), values).fetchone()
    assert row is not None  # noqa: S101 - each of these statements returns a row
    return row[0]
