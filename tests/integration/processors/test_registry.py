"""Which job types there are; what cannot be had is named, all of it, before a worker starts."""

from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from jobs.processors import simulate
from jobs.processors.registry import BadRegistry, processors
from tests.production import manage
from tests.wheels import install

SIMULATE = "jobs.processors.simulate.simulate"
BROKEN = "raise RuntimeError('this package is broken')"
CLASH = "from jobs.processors.simulate import simulate"


def told() -> list[str]:
    """What the system check says."""
    return [message.msg for message in run_checks(tags=["jobs"]) if message.id == "jobs.E002"]


def test_the_types_of_the_setting(settings: Settings) -> None:
    settings.PROCESSORS = [SIMULATE, "tests.processors.noop"]

    assert set(processors()) == {"simulate", "noop"}
    assert processors()["simulate"] is simulate.simulate
    assert told() == []


def test_all_that_is_wrong_is_named(settings: Settings) -> None:
    settings.PROCESSORS = [
        SIMULATE,
        "nowhere.at.all",
        "jobs.processors.simulate.gone",
        "jobs.processors.simulate.seconds_of",
        "noname",
        SIMULATE,
    ]

    problems = told()

    assert [problem.partition(": ")[2].partition(":")[0] for problem in problems] == [
        "nowhere.at.all",
        "jobs.processors.simulate.gone",
        "jobs.processors.simulate.seconds_of",
        "noname",
        SIMULATE,
    ]
    assert "No module named 'nowhere'" in problems[0]
    assert "is not made by the decorator" in problems[2]
    assert "'simulate' is there already, by PROCESSORS: " + SIMULATE in problems[4]
    with pytest.raises(BadRegistry, match="nowhere"):
        processors()


@pytest.mark.parametrize(
    ("module", "complaint"),
    [
        (BROKEN, "RuntimeError: this package is broken"),
        (CLASH, "the job type 'simulate' is there already, by PROCESSORS: " + SIMULATE),
    ],
)
def test_a_bad_package_keeps_workers_from_starting(
    tmp_path: Path, module: str, complaint: str
) -> None:
    points = "[mediaproc.processors]\nmine = shop_jobs:simulate\n"
    target = install(tmp_path, "shop-jobs", {"shop_jobs.py": module}, points)

    finished = manage("run_workers", PYTHONPATH=str(target))

    assert finished.returncode == 1
    assert f"entry point mine of shop-jobs: shop_jobs:simulate: {complaint}" in finished.stderr
    assert "jobs.E002" in finished.stderr
    assert "Traceback" not in finished.stderr
