"""What maintenance does now and then."""

import time

import pytest
import structlog
from django.db import connection

from jobs.models import DurationHistory
from jobs.states import Status
from jobs.worker.maintenance import Maintenance
from jobs.worker.patience import Patience
from jobs.worker.sweeps import Sweep, sweeps
from jobs.worker.watchdog import Watchdog
from tests.ended import ended, rolled
from tests.waiting import wait_until
from tests.workers import Workers


@pytest.mark.processes
def test_workers_add_up_what_has_ended(workers: Workers) -> None:
    ended(run=3.0)
    ended(Status.FAILED)
    for _ in range(2):
        workers.start("--queue", "high")
    wait_until(lambda: rolled() == {"COMPLETED": 1, "FAILED": 1}, "both are added up", seconds=120)
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


@pytest.mark.django_db(transaction=True)
def test_a_sweep_that_loses_the_database_says_so_in_a_line_and_goes_on() -> None:
    def lose() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return False

    sweep = Sweep("lost", lose, every=0.0, first=(0.0, 0.0))
    with structlog.testing.capture_logs() as logged:
        sweep.run_if_due()
    assert [(line["event"], line["log_level"]) for line in logged] == [
        ("maintenance.put_off", "warning")
    ]
    assert "exc_info" not in logged[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_a_sweep_goes_on_while_more_is_left_and_then_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jobs.worker.sweeps.GO_ON_SECONDS", 0.0)
    left = [True, True, False]
    sweep = Sweep("some", lambda: left.pop(0), every=3600.0, first=(0.0, 0.0))
    for _ in range(5):
        sweep.run_if_due()
    assert left == []
    assert not sweep.unfinished


@pytest.mark.django_db(transaction=True)
def test_who_has_begun_a_sweep_goes_on_with_it_though_others_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = [True, True, False]
    sweep = Sweep("some", lambda: left.pop(0), every=3600.0, first=(0.0, 0.0))
    monkeypatch.setattr("jobs.worker.maintenance.sweeps", lambda: [sweep])
    maintenance = Maintenance(
        Patience(), lambda: 1, lambda _: (), scan_seconds=3600.0, lease_seconds=30.0,
        most_lost_leases=3,
    )  # fmt: skip
    maintenance.start()
    try:
        wait_until(lambda: not left, "it has gone on after its only look")
    finally:
        maintenance.stop()
        maintenance.join()


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


@pytest.mark.django_db(transaction=True)
def test_a_sweep_whose_connection_hangs_is_freed() -> None:
    def hang() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")
        return False

    watchdog = Watchdog(0.2)
    watchdog.start()
    maintenance = Maintenance(
        Patience(watchdog, 0.2), lambda: 1, lambda _: (), scan_seconds=3600.0, lease_seconds=30.0,
        most_lost_leases=3,
    )  # fmt: skip
    maintenance._sweeps = [Sweep("hangs", hang, every=3600.0, first=(0.0, 0.0))]
    began = time.monotonic()
    try:
        maintenance._sweep(begun=False)
    finally:
        watchdog.stop()
    assert time.monotonic() - began < 30
    with connection.cursor() as cursor:  # the server has not noticed
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%%'",
            [],
        )
