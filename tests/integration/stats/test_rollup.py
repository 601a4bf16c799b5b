"""Ended jobs are added up once each, whatever ends beside it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from jobs.models import JobTotal, RollupMark
from jobs.queue.finish import finish
from jobs.states import Status
from jobs.stats import rollup
from jobs.stats.ended import NOBODY
from jobs.stats.histogram import bucket
from jobs.stats.rollup import condense, roll_up
from jobs.stats.statistics import counts, statistics
from jobs.stats.totals import EVERYBODY
from jobs.stats.waiting import Count
from tests.ended import ended, newest, rolled
from tests.rows import claim_one, finished, new_job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup, "WORTH_SECONDS", 0.0)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has ended is taken to be settled at once."""
    monkeypatch.setattr(rollup, "SETTLED_AFTER_SECONDS", 0.0)


@pytest.fixture
def in_thread() -> Iterator[list[threading.Thread]]:
    """Threads that are joined at the end."""
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join()


def everything() -> None:
    """Roll up until nothing is left."""
    while roll_up():
        pass


def test_all_ends_are_added_up_by_group() -> None:
    at = timezone.now().replace(second=5, microsecond=0) - timedelta(minutes=5)
    ended(at=at, wait=0.5, run=3.0, priority=9)
    ended(at=at + timedelta(seconds=20), wait=5.0, run=3.0, priority=9)
    ended(at=at, priority=1)
    ended(Status.FAILED, at=at, job_type="other")
    ended(Status.CANCELLED, at=at)
    everything()
    assert rolled() == {"COMPLETED": 3, "FAILED": 1, "CANCELLED": 1}
    high = JobTotal.objects.get(priority=9, owner_id=EVERYBODY)
    assert (high.until, high.jobs) == (at.replace(second=0) + timedelta(minutes=1), 2)
    assert high.wait_seconds == pytest.approx(5.5)
    assert high.run_seconds == pytest.approx(6.0)
    assert sum(high.waits) == sum(high.runs) == 2
    assert high.waits[bucket(0.5)] == high.waits[bucket(5.0)] == 1
    assert high.runs[bucket(3.0)] == 2


def test_twice_adds_nothing() -> None:
    ended()
    everything()
    everything()
    assert rolled() == {"COMPLETED": 1}


def test_what_ended_just_now_waits() -> None:
    ended(ago=5)
    everything()
    assert rolled() == {}


def test_times_of_a_job_that_did_not_begin_or_was_cancelled_are_not_counted() -> None:
    ended(Status.FAILED, attempt=0, started_at=None)
    ended(Status.CANCELLED)
    later = timezone.now()
    ended(Status.FAILED, ago=50, queued_at=later, job_type="queued again after its attempt")
    everything()
    assert rolled() == {"FAILED": 2, "CANCELLED": 1}
    assert [sum(one.waits) + sum(one.runs) for one in newest()] == [0, 0, 0]


def test_an_old_history_is_caught_up_over_gaps_and_in_bounded_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rollup, "ROWS", 3)
    for number in range(10):
        ended(ago=40 * 86_400 + number)
        ended(Status.FAILED, ago=40 * 86_400 + number)
        ended(ago=100)
    batches = 1
    while roll_up(0.0):
        batches += 1
    assert rolled() == {"COMPLETED": 20, "FAILED": 10}
    assert 5 <= batches < 40


def test_many_that_ended_in_the_same_moment_are_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup, "ROWS", 3)
    at = timezone.now() - timedelta(minutes=3)
    for _ in range(10):
        ended(at=at)
    everything()
    assert rolled() == {"COMPLETED": 10}


def test_history_before_the_statistics_is_left_out() -> None:
    ended(ago=91 * 86_400)
    ended(ago=89 * 86_400)
    everything()
    assert rolled() == {"COMPLETED": 1}


@pytest.mark.usefixtures("at_once")
def test_a_transaction_that_has_not_committed_is_waited_for(
    in_thread: list[threading.Thread],
) -> None:
    new_job()
    claimed = claim_one()
    completed, commit = threading.Event(), threading.Event()

    def complete() -> None:
        with transaction.atomic():
            finish([finished(claimed)])
            completed.set()
            assert commit.wait(60)
        connection.close()

    in_thread.append(threading.Thread(target=complete))
    in_thread[0].start()
    assert completed.wait(60)
    everything()
    assert rolled() == {}
    commit.set()
    in_thread[0].join()
    everything()
    assert rolled() == {"COMPLETED": 1}


@pytest.mark.usefixtures("at_once")
def test_a_transaction_that_never_ends_is_waited_for_only_so_long(
    in_thread: list[threading.Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollup, "LONGEST_WAIT_SECONDS", 0.0)
    began, end = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            new_job()
            began.set()
            assert end.wait(60)
        connection.close()

    in_thread.append(threading.Thread(target=write))
    in_thread[0].start()
    assert began.wait(60)
    ended(ago=0.0)
    everything()
    end.set()
    assert rolled() == {"COMPLETED": 1}


@contextmanager
def held_mark(in_thread: list[threading.Thread]) -> Iterator[None]:
    """Another maintainer is at work."""
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            RollupMark.objects.select_for_update().get(id=1)
            locked.set()
            assert release.wait(60)
        connection.close()

    in_thread.append(threading.Thread(target=hold))
    in_thread[-1].start()
    assert locked.wait(60)
    try:
        yield
    finally:
        release.set()
        in_thread[-1].join()


def test_another_maintainer_at_work_is_passed(in_thread: list[threading.Thread]) -> None:
    everything()
    RollupMark.objects.filter(id=1).update(reached=timezone.now() - timedelta(hours=1))
    ended()
    with held_mark(in_thread):
        assert not roll_up()
        assert not condense()
        assert rolled() == {}
    everything()
    assert rolled() == {"COMPLETED": 1}


def test_a_crash_leaves_neither_sums_nor_a_moved_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    ended()

    def crash(_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("jobs.stats.durations.learn", crash)
        with pytest.raises(RuntimeError):
            roll_up()
    assert rolled() == {}
    everything()
    assert rolled() == {"COMPLETED": 1}


def test_what_is_caught_up_on_from_days_ago_is_added_to_hours() -> None:
    ended(ago=5 * 86_400)
    everything()
    whole_hours = {one.until.replace(minute=0, second=0) for one in JobTotal.objects.all()}
    assert whole_hours == {one.until for one in JobTotal.objects.all()}


def test_minutes_become_hours_and_windows_stay_what_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As it was added up when it was new.
    monkeypatch.setattr(rollup, "MINUTES_KEPT", timedelta(days=9))
    one = User.objects.create(username="one")
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=3)
    for minute in (0, 1, 59, 60, 61, 120):
        for status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED):
            at = hour + timedelta(minutes=minute)
            ended(status, at=at, run=0.1 * (minute + 1), owner=one if minute % 2 else None)
    ended(ago=3600)
    everything()
    before = windows(one)
    rows = JobTotal.objects.count()
    monkeypatch.undo()
    monkeypatch.setattr(rollup, "WORTH_SECONDS", 0.0)
    while condense():
        pass
    assert windows(one) == before
    # Everybody's of 0 to 2 and of 3; an owner's of 1; nobody's of 0: three statuses each.
    assert rows - JobTotal.objects.count() == 3 * (2 + 1 + 1 + 0)
    # What is added later begins where the totals were.
    two_minutes_on()
    for status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED):
        ended(status, ago=60, owner=one)
    everything()
    assert statistics(5 * 86_400.0, owner=one.pk).overall.ended == {
        Status.COMPLETED: 4, Status.FAILED: 4, Status.CANCELLED: 4,
    }  # fmt: skip


def two_minutes_on() -> None:
    """What ended a minute ago ends after the mark."""
    mark = timezone.now() - timedelta(minutes=2)
    RollupMark.objects.filter(id=1).update(reached=mark)


def windows(owner: User) -> list[object]:
    """All figures of windows that begin at each hour about the ones above."""
    return [
        (found.overall.ended, found.overall.wait, found.overall.run.p50, found.overall.run.p99)
        for hours in range(70, 76)
        for whose in (None, NOBODY, owner.pk)
        for found in [statistics(3600.0 * hours, owner=whose)]
    ]


def test_what_is_older_than_statistics_is_forgotten(settings: pytest.FixtureRequest) -> None:
    ended(ago=50 * 86_400)
    ended(Status.FAILED, ago=50 * 86_400)
    ended(ago=45 * 86_400)
    ended(ago=3600)
    everything()
    settings.STATS_RETENTION_DAYS = 40  # type: ignore[attr-defined]
    for _ in range(2):
        assert counts()[Status.COMPLETED] == Count(1)
        assert counts()[Status.FAILED] == Count(0)
        condense()
    settings.STATS_RETENTION_DAYS = 90  # type: ignore[attr-defined]
    assert counts()[Status.COMPLETED] == Count(1)  # what is forgotten does not come back
    found = statistics(90 * 86_400.0)
    assert found.overall.jobs == 1
    assert timezone.now() - found.since < timedelta(days=40, hours=2)
    # Where the window begins, and its end; of all and of nobody.
    assert JobTotal.objects.count() == 2 + 2
    two_minutes_on()
    ended(Status.FAILED, ago=60)
    everything()
    assert counts()[Status.FAILED] == Count(1)


def test_what_is_forgotten_beside_a_maintainer_is_not_lost(
    in_thread: list[threading.Thread], settings: pytest.FixtureRequest
) -> None:
    ended(ago=50 * 86_400)
    everything()
    settings.STATS_RETENTION_DAYS = 40  # type: ignore[attr-defined]
    with held_mark(in_thread):
        condense()
        assert rolled() == {"COMPLETED": 1}
    condense()
    assert rolled() == {}


def test_a_mark_that_the_clock_has_fallen_behind_does_not_stop_it() -> None:
    now = timezone.now()
    ended(ago=120)
    everything()
    # As it was added up by a clock that was a year ahead.
    JobTotal.objects.update(until=now + timedelta(days=365))
    for total in newest():
        JobTotal.objects.create(
            owner_id=total.owner_id, priority=total.priority, job_type=total.job_type,
            status=total.status, until=now + timedelta(days=366), jobs=2,
            wait_seconds=2.0, run_seconds=4.0, waits=total.waits, runs=total.runs,
        )  # fmt: skip
    RollupMark.objects.update(reached=now + timedelta(days=366))
    everything()
    mark = RollupMark.objects.get(id=1)
    assert mark.reached < timezone.now()
    assert newest()[0].until <= timezone.now() + timedelta(minutes=1)
    ended(at=mark.reached - timedelta(seconds=1))
    RollupMark.objects.update(reached=mark.reached - timedelta(seconds=60))
    everything()
    assert rolled() == {"COMPLETED": 3}
    assert counts()[Status.COMPLETED] == Count(3)
