"""The fault programme: real workers, a real database, planned faults, an independent ledger.

make chaos                                     all faults mixed, for a minute
make chaos ARGS="--seed 7 --minutes 5"
make chaos ARGS="--only kill"                  one scenario
make chaos ARGS="--replay tests/chaos/plans/NAME.json"
make chaos ARGS="--mutants"                    put known bugs back: each must be caught
make chaos ARGS="--soak 60 --jobs 2"           seed after seed for an hour, two at a time; totals
make chaos ARGS="--seeds 201-230 --jobs 2"     these seeds; totals
"""

import argparse
import json
import signal
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tests.chaos import mutants
from tests.chaos.catching import catch_all
from tests.chaos.plan import Plan
from tests.chaos.planning import SCENARIOS, make_plan
from tests.chaos.run import run
from tests.chaos.soak import for_minutes, soak

FAILED = Path(__file__).parent / "failed"


def main() -> int:
    """Exit code 0; 1 when an invariant was violated or a known bug was not caught."""
    parser = argparse.ArgumentParser(
        prog="make chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1, help="what the plan is drawn from")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long the load lasts")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="many seeds, so long")
    parser.add_argument("--seeds", type=_seeds, metavar="FIRST-LAST", help="all of these")
    parser.add_argument("--jobs", type=int, default=1, help="how many seeds at a time")
    parser.add_argument("--only", choices=list(SCENARIOS), default="mixed", help="one scenario")
    parser.add_argument("--replay", type=Path, metavar="PLAN", help="run exactly this plan")
    parser.add_argument("--mutants", action="store_true", help="put known bugs back, one by one")
    parser.add_argument("--mutant", choices=list(mutants.MUTANTS), default="", help="just this one")
    parser.add_argument("--rate", type=float, help="jobs a second")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    # Ended from outside, it takes its workers and its database with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if chosen.mutants:
        return catch_all(as_json=chosen.json)
    if chosen.seeds or chosen.soak:
        return soak(
            chosen.only,
            chosen.seeds or for_minutes(chosen.seed, chosen.soak),
            chosen.minutes * 60,
            jobs=chosen.jobs,
            failed=FAILED,
            as_json=chosen.json,
        )
    if chosen.replay:
        plan = Plan.read(chosen.replay)
    elif chosen.mutant:
        plan = mutants.MUTANTS[chosen.mutant].plan()
    else:
        plan = make_plan(chosen.only, chosen.seed, chosen.minutes * 60)
    if chosen.rate:
        plan = replace(plan, rate=chosen.rate)
    name = f"{plan.scenario}-{plan.seed}"
    report = run(plan, mutant=chosen.mutant, keep_logs=None if chosen.mutant else FAILED / name)
    print(json.dumps(report.as_dict()) if chosen.json else report.text())
    if not report.violations:
        return 0
    if not chosen.mutant:
        path = FAILED / f"{name}.json"
        plan.write(path)
        shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        print(f'Again: make chaos ARGS="--replay {shown}"', file=sys.stderr)
    return 1


def _seeds(text: str) -> Iterable[int]:
    """From `FIRST-LAST`."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    sys.exit(main())
