"""Seed after seed, for so many minutes or from the first to the last, some at a time.

A seed that finds something keeps its plan and does not end the soak.
"""

import json
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.chaos.apart import Broken, report_of
from tests.chaos.clock import now
from tests.chaos.planning import make_plan
from tests.chaos.totals import Totals


def soak(
    scenario: str, seeds: Iterable[int], seconds: float, *, jobs: int, failed: Path, as_json: bool
) -> int:
    """Exit code 0 when all were clean, 1 when not, 130 after Ctrl-C; prints the totals anyway."""
    one = _Soak(scenario, iter(seeds), seconds, failed)
    began = now()
    code = 0
    with ThreadPoolExecutor(jobs) as pool:
        going = [pool.submit(one.run) for _ in range(jobs)]
        try:
            for each in going:
                each.result()
        except KeyboardInterrupt:
            code = 130
            one.end()
    totals = one.totals
    totals.wall_minutes = round((now() - began) / 60, 2)
    totals.load_minutes = round(totals.load_minutes, 2)
    print(json.dumps(totals.as_dict()) if as_json else totals.text())
    return code or (0 if totals.clean else 1)


def for_minutes(first: int, minutes: float) -> Iterator[int]:
    """Seeds from the first on, none after so many minutes."""
    until = now() + minutes * 60
    while now() < until:
        yield first
        first += 1


class _Soak:
    """What the threads share."""

    def __init__(self, scenario: str, seeds: Iterator[int], seconds: float, failed: Path) -> None:
        self.totals = Totals(scenario)
        self._seeds = seeds
        self._seconds = seconds
        self._failed = failed
        self._lock = threading.Lock()
        self._ending = False

    def end(self) -> None:
        """Begin no more. What is under way gets the Ctrl-C as well."""
        self._ending = True

    def run(self) -> None:
        """One seed after the other."""
        while (seed := self._next()) is not None:
            name = f"{self.totals.scenario}-{seed}"
            arguments = ("--only", self.totals.scenario, "--seed", str(seed))
            minutes = ("--minutes", str(self._seconds / 60))
            try:
                report = report_of(*arguments, *minutes, load_seconds=self._seconds)
            except Broken as error:
                self._keep(name, seed, str(error))
                continue
            with self._lock:
                self.totals.add(seed, report)
            found = len(report["violations"])
            what = f"{report['acknowledged']} jobs, {sum(report['faults'].values())} faults"
            _say(f"{name}: {what}, {found} violations, {len(report['forgiven'])} forgiven")

    def _next(self) -> int | None:
        with self._lock:
            return None if self._ending else next(self._seeds, None)

    def _keep(self, name: str, seed: int, said: str) -> None:
        """The plan of a run that gave no report, and why. One that did keeps its own."""
        if self._ending:
            return
        with self._lock:
            self.totals.broken.append(seed)
        self._failed.mkdir(exist_ok=True)
        make_plan(self.totals.scenario, seed, self._seconds).write(self._failed / f"{name}.json")
        (self._failed / f"{name}.txt").write_text(said)
        _say(f"{name}: NO REPORT: {(said.strip().splitlines() or ['it said nothing'])[-1]}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
