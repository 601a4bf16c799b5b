"""What a soak adds up, and when it is not clean."""

from typing import Any

from tests.chaos.plan import Plan
from tests.chaos.report import skipped
from tests.chaos.totals import Totals


def report(**values: Any) -> dict[str, Any]:
    return skipped(Plan(1, "mixed", 90.0), "").as_dict() | values


def test_figures_are_added_and_the_longest_kept() -> None:
    totals = Totals("mixed")
    totals.add(4, report(acknowledged=10, faults={"kill": 2, "stop": 1}, longest_rerun_seconds=2.0))
    totals.add(3, report(acknowledged=5, faults={"kill": 1}, longest_rerun_seconds=1.0))
    found = totals.as_dict()
    assert (found["seeds"], found["acknowledged"], found["load_minutes"]) == ([4, 3], 15, 3.0)
    assert found["faults"] == {"kill": 3, "stop": 1}
    assert found["longest_rerun_seconds"] == 2.0
    assert totals.clean
    assert "2 (3-4)" in totals.text()


def test_a_seed_that_found_something_or_broke_is_told() -> None:
    totals = Totals("mixed")
    totals.add(3, report(violations=["metrics: job-1"], forgiven=["run again too late: job-2"]))
    assert not totals.clean
    assert "seed 3: metrics: job-1" in totals.text()
    assert "seed 3: forgiven: run again too late: job-2" in totals.text()
    totals = Totals("mixed", broken=[7])
    assert not totals.clean
    assert "seeds 7" in totals.text()
