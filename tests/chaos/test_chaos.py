"""The fault programme as CI runs it: some seeds, and every plan that once found something."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.plan import Plan
from tests.chaos.planning import SCENARIOS, make_plan
from tests.service import PROJECT

PLANS = sorted(Path(__file__).with_name("plans").glob("*.json"))


def chaos(*arguments: str) -> dict[str, Any]:
    """The report of a run."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--json", *arguments],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.processes
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_and_nothing_is_done_twice(seed: int) -> None:
    report = chaos("--seed", str(seed), "--minutes", "0.5")
    assert report["violations"] == []
    assert report["acknowledged"] > 300
    assert report["sigkills"] > 0


@pytest.mark.processes
def test_web_and_remote_workers_lose_nothing_either() -> None:
    report = chaos("--only", "remote", "--seed", "6", "--minutes", "0.2")
    assert report["violations"] == []
    assert report["acknowledged"] > 0
    assert report["faults"]["web_kill"] > 0
    assert report["sigkills"] > 0


@pytest.mark.processes
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.stem)
def test_what_was_once_found_stays_away(plan: Path) -> None:
    report = chaos("--replay", str(plan))
    if not report["acknowledged"]:
        pytest.skip(report["skipped"])
    assert report["violations"] == []


@pytest.mark.processes
def test_a_soak_adds_up_its_seeds() -> None:
    arguments = ("--seeds", "5-6", "--jobs", "2", "--minutes", "0.1", "--only", "stop_short")
    totals = chaos(*arguments)
    assert sorted(totals["seeds"]) == [5, 6]
    assert totals["acknowledged"] > 100
    assert (totals["violations"], totals["broken"]) == ({}, [])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_plan_is_its_seeds_and_survives_the_disk(scenario: str, tmp_path: Path) -> None:
    plan = make_plan(scenario, 5, 60.0)
    assert plan.faults
    assert plan == make_plan(scenario, 5, 60.0)
    assert plan != make_plan(scenario, 6, 60.0)
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == plan
