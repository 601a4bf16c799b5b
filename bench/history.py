"""Our drain beside a million finished jobs against one without, right after each other."""

import copy
import statistics
from pathlib import Path

from bench import measure, rows
from bench.contenders.peer import Peer
from bench.databases import Databases

FINISHED = 1_000_000
MODE = "pair"


class History:
    """Makes the finished jobs once; then each call is so many pairs."""

    def __init__(self, pairs: int) -> None:
        self._pairs = pairs
        self._with: Peer | None = None
        self._turned = False

    def __call__(self, peer: Peer, databases: Databases, folder: Path) -> dict[str, float]:
        """The middle one of the pairs."""
        if self._with is None:
            self._with = self._make(peer, databases)
        ratios = [self._pair(peer, self._with, folder) for _ in range(self._pairs)]
        return {"drain_with_1m_finished_ratio": statistics.median(ratios)}

    def _pair(self, peer: Peer, with_history: Peer, folder: Path) -> float:
        """One pair; the order changes from pair to pair."""
        self._turned = not self._turned
        if self._turned:
            without, _ = measure.drain(peer, MODE, folder)
            beside, _ = measure.drain(with_history, MODE, folder, fresh=False)
        else:
            beside, _ = measure.drain(with_history, MODE, folder, fresh=False)
            without, _ = measure.drain(peer, MODE, folder)
        return beside / without

    @staticmethod
    def _make(peer: Peer, databases: Databases) -> Peer:
        beside = copy.copy(peer)
        beside.name = f"{peer.name}-history"
        databases.create(beside.database, peer.template)
        for statement in (*rows.finished(FINISHED), *rows.SETTLE):
            databases.run(beside.database, statement)
        return beside
