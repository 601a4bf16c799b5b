"""One contender's turn in a round: its drains between two floors each, submissions, pick-up."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import floor, measure
from bench.contenders.peer import Failed, Peer
from bench.databases import Databases
from bench.environment import say
from bench.results import Results

FLOOR_JOBS = 12_000
FLOOR_DATABASE = "floor"

# More figures of one contender: their names and values.
Figures = Callable[[Peer, Databases, Path], dict[str, float]]


class Bench:
    """A server and a folder, and all floors that were measured."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self.floors: list[float] = []
        self._databases = databases
        self._folder = folder
        self._began = time.monotonic()
        databases.create(FLOOR_DATABASE)

    def say(self, text: str) -> None:
        """Progress, with the seconds since the start."""
        say(f"{time.monotonic() - self._began:5.0f} s  {text}")

    def prepare(self, peer: Peer) -> None:
        """Install a contender and make its tables. Raises Skipped, Failed."""
        peer.prepare(self._databases, self._folder)

    def turn(self, peer: Peer, results: Results, extra: tuple[Figures, ...] = ()) -> None:
        """Measure each of its figures once; what fails is told and leaves no figure."""
        for mode in peer.drains:
            self._drain(peer, results, mode)
        with self._told(peer, results, "enqueue"):
            rate = measure.enqueue(peer)
            results.add("enqueue", rate)
            self.say(f"{peer.name}, enqueue: {rate:,.0f} jobs/s")
        with self._told(peer, results, "pick-up"):
            waits = sorted(measure.pickup(peer, self._folder))
            results.waits += waits
            self.say(f"{peer.name}, pick-up: {waits[len(waits) // 2]:.2f} ms in the middle")
        for figures in extra:
            with self._told(peer, results, figures.__module__):
                for name, value in figures(peer, self._databases, self._folder).items():
                    results.add(name, value)
                    self.say(f"{peer.name}, {name}: {value:,.2f}")

    def _drain(self, peer: Peer, results: Results, mode: str) -> None:
        with self._told(peer, results, mode):
            before = self._floor()
            rate, filled = measure.drain(peer, mode, self._folder)
            between = (before + self._floor()) / 2
            results.add(mode, rate)
            results.add(f"{mode}_ratio", rate / between)
            if mode == "best" and peer.bulk:
                results.add("bulk", filled)
            self.say(
                f"{peer.name}, {mode}: {rate:,.0f} jobs/s,"
                f" {rate / between:.2f} times the floor of {between:,.0f}"
            )

    def _floor(self) -> float:
        url = self._databases.url(FLOOR_DATABASE)
        self.floors.append(floor.measure(url, self._folder, FLOOR_JOBS))
        return self.floors[-1]

    @contextmanager
    def _told(self, peer: Peer, results: Results, what: str) -> Iterator[None]:
        try:
            yield
        except Failed as error:
            self.say(f"{peer.name}, {what}: FAILED, {error}")
            results.failures.append(f"{what}: {error}")
