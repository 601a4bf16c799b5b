"""Run every mutant on its plan, and each plan once without: bugs are caught, and only bugs."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.clock import now
from tests.chaos.mutants import MUTANTS
from tests.service import PROJECT

_RUN_SECONDS = 150


@dataclass(frozen=True)
class Caught:
    """What came of one run. mutant: empty for the sound engine."""

    mutant: str
    plan: str
    seconds: float
    violations: list[str]

    @property
    def as_it_should(self) -> bool:
        """A mutant is caught, the sound engine is clean."""
        return bool(self.violations) == bool(self.mutant)

    def line(self) -> str:
        """For people."""
        rules = sorted({text.partition(":")[0] for text in self.violations})
        what = ", ".join(rules) if rules else ("NOT CAUGHT" if self.mutant else "clean")
        if not self.mutant and rules:
            what = f"NOT CLEAN: {self.violations[0]}"
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
                caught = _run(path, mutant)
                found.append(caught)
                print(caught.line(), file=sys.stderr if as_json else sys.stdout, flush=True)
    mutants = [one for one in found if one.mutant]
    number = sum(one.as_it_should for one in mutants)
    if as_json:
        print(json.dumps({"mutants": len(mutants), "caught": number}))
    else:
        print(f"{number} of {len(mutants)} known bugs caught")
    return 0 if all(one.as_it_should for one in found) else 1


def _run(plan: Path, mutant: str) -> Caught:
    command = [sys.executable, "-m", "tests.chaos", "--replay", str(plan), "--json"]
    began = now()
    done = subprocess.run(
        [*command, *(["--mutant", mutant] if mutant else [])],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
        timeout=_RUN_SECONDS,
    )
    if not done.stdout.startswith("{"):
        raise RuntimeError(f"the run of {plan.stem} {mutant} broke:\n{done.stderr}")
    return Caught(mutant, plan.stem, now() - began, json.loads(done.stdout)["violations"])
