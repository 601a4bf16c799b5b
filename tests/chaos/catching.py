"""Run every mutant on its plan, and each plan once without: bugs are caught, and only bugs."""

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.apart import Broken, report_of
from tests.chaos.clock import now
from tests.chaos.mutants import MUTANTS
from tests.chaos.plan import Plan


@dataclass(frozen=True)
class Caught:
    """What came of one run. mutant: empty for the sound engine. broken: why there is no report."""

    mutant: str
    plan: str
    seconds: float
    violations: list[str]
    broken: str = ""

    @property
    def as_it_should(self) -> bool:
        """A mutant is caught, the sound engine is clean."""
        return not self.broken and bool(self.violations) == bool(self.mutant)

    def line(self) -> str:
        """For people."""
        rules = sorted({text.partition(":")[0] for text in self.violations})
        what = ", ".join(rules) if rules else ("NOT CAUGHT" if self.mutant else "clean")
        if not self.mutant and rules:
            what = f"NOT CLEAN: {self.violations[0]}"
        if self.broken:
            what = f"NO REPORT: {self.broken}"
        return f"{self.plan:10}{self.mutant or '(sound engine)':25}{self.seconds:4.0f} s  {what}"


def catch_all(*, as_json: bool) -> int:
    """Exit code 0 when each is as it should be."""
    found = []
    with tempfile.TemporaryDirectory(prefix="mediaproc-chaos-") as folder:
        plans = {mutant.plan().scenario: mutant.plan() for mutant in MUTANTS.values()}
        for name, plan in plans.items():
            path = Path(folder) / f"{name}.json"
            plan.write(path)
            of_plan = [key for key, one in MUTANTS.items() if one.plan().scenario == name]
            for mutant in ("", *of_plan):
                caught = _run(path, plan, mutant)
                found.append(caught)
                print(caught.line(), file=sys.stderr if as_json else sys.stdout, flush=True)
    mutants = [one for one in found if one.mutant]
    number = sum(one.as_it_should for one in mutants)
    if as_json:
        print(json.dumps({"mutants": len(mutants), "caught": number}))
    else:
        print(f"{number} of {len(mutants)} known bugs caught")
    return 0 if all(one.as_it_should for one in found) else 1


def _run(path: Path, plan: Plan, mutant: str) -> Caught:
    """Once more when a run breaks: that says nothing of the engine."""
    arguments = ["--replay", str(path), *(["--mutant", mutant] if mutant else [])]
    began = now()
    broken = ""
    for _ in range(2):
        try:
            report = report_of(*arguments, load_seconds=plan.seconds)
        except Broken as error:
            broken = str(error)
            print(f"{plan.scenario} {mutant} broke:\n{broken}", file=sys.stderr)
        else:
            return Caught(mutant, plan.scenario, now() - began, report["violations"])
    return Caught(mutant, plan.scenario, now() - began, [], broken.strip().splitlines()[-1])
