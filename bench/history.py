"""Our drain beside a million finished jobs against one without, right after each other."""

import copy
from pathlib import Path

from bench import measure
from bench.contenders.peer import Peer
from bench.databases import Databases

FINISHED = 1_000_000
MODE = "pair"
# Past the queue: these jobs were never in it.
_JOBS = f"""
INSERT INTO jobs_job (id, job_type, source_file, target_format, parameters, priority, status,
  queued_at, started_at, completed_at, attempt)
SELECT gen_random_uuid(), 'noop', 'a.mp4', 'avi',
  jsonb_build_object('number', number, 'text', repeat('x', 180)), 9, 'COMPLETED',
  now(), now(), now(), 1
FROM generate_series(1, {FINISHED}) AS number
"""  # noqa: S608 - constants of this module only
_METRICS = """
INSERT INTO jobs_jobmetrics (id, job_id, peak_cpu_usage, memory_usage_mb, processing_time_seconds)
SELECT gen_random_uuid(), id, 0, 0, 0 FROM jobs_job
"""


class History:
    """Makes the finished jobs once; then each call is one pair."""

    def __init__(self) -> None:
        self._with: Peer | None = None
        self._turned = False

    def __call__(self, peer: Peer, databases: Databases, folder: Path) -> dict[str, float]:
        """One pair; the order changes from call to call."""
        if self._with is None:
            self._with = self._make(peer, databases)
        self._turned = not self._turned
        if self._turned:
            without, _ = measure.drain(peer, MODE, folder)
            beside, _ = measure.drain(self._with, MODE, folder, fresh=False)
        else:
            beside, _ = measure.drain(self._with, MODE, folder, fresh=False)
            without, _ = measure.drain(peer, MODE, folder)
        return {"drain_with_1m_finished_ratio": beside / without}

    @staticmethod
    def _make(peer: Peer, databases: Databases) -> Peer:
        beside = copy.copy(peer)
        beside.name = f"{peer.name}-history"
        databases.create(beside.database, peer.template)
        for statement in (_JOBS, _METRICS, "VACUUM ANALYZE", "CHECKPOINT"):
            databases.run(beside.database, statement)
        return beside
