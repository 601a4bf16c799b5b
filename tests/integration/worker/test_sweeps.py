"""What maintenance does now and then."""

import time

import pytest

from jobs.models import DurationHistory, JobRollup
from jobs.states import Status
from jobs.worker.sweeps import Sweep, sweeps
from tests.ended import ended
from tests.waiting import wait_until
from tests.workers import Workers


@pytest.mark.processes
def test_workers_add_up_what_has_ended(workers: Workers) -> None:
    ended(run=3.0)
    ended(Status.FAILED)
    for _ in range(2):
        workers.start("--queue", "high")
    wait_until(lambda: JobRollup.objects.count() == 2, "both are added up", seconds=60)
    assert DurationHistory.objects.get().mean_seconds == pytest.approx(3.0)


@pytest.mark.django_db
def test_a_sweep_that_fails_is_tried_again_and_harms_nobody() -> None:
    calls = []

    def fail() -> bool:
        calls.append(1)
        raise RuntimeError

    sweep = Sweep("fails", fail, every=0.0, first=(0.0, 0.0))
    sweep.run_if_due()
    sweep.run_if_due()
    assert len(calls) == 2


def test_a_sweep_goes_on_while_more_is_left_and_then_waits() -> None:
    left = [True, True, False]
    sweep = Sweep("some", lambda: left.pop(0), every=3600.0, first=(0.0, 0.0))
    for _ in range(5):
        sweep.run_if_due()
    assert left == []


def test_a_sweep_waits_for_its_first_time() -> None:
    left = [False]
    sweep = Sweep("later", lambda: left.pop(0), every=0.0, first=(3600.0, 3600.0))
    sweep.run_if_due()
    assert left == [False]


@pytest.mark.django_db
def test_nothing_is_pruned_in_the_first_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr("jobs.worker.sweeps.Pruner.sweep", lambda _: called.append("prune"))
    now = time.monotonic()
    due = sweeps()
    monkeypatch.setattr(time, "monotonic", lambda: now + 60)
    for sweep in due:
        sweep.run_if_due()
    assert called == []
    monkeypatch.setattr(time, "monotonic", lambda: now + 601)
    for sweep in due:
        sweep.run_if_due()
    assert called == ["prune"]
