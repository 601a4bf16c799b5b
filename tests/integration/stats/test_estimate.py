"""What a new job is expected to take, from the completed ones before it."""

import pytest
from pytest_django import DjangoAssertNumQueries

from jobs.models import DurationHistory
from jobs.states import Status
from jobs.stats import durations, rollup
from jobs.stats import estimate as estimates
from jobs.stats.estimate import estimate, size_class
from jobs.stats.rollup import roll_up
from tests.ended import ended

pytestmark = pytest.mark.django_db(transaction=True)

MIB = 2**20


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup, "WORTH_SECONDS", 0.0)
    monkeypatch.setattr(rollup, "SETTLED_AFTER_SECONDS", 0.0)
    fresh(monkeypatch)


def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not estimated yet."""
    monkeypatch.setattr(estimates, "_cache", estimates._Cache())


def learn() -> None:
    """Roll up until nothing is left."""
    while roll_up():
        pass


def known(*kinds: tuple[str, str, int, float]) -> None:
    """A history of means."""
    for job_type, target_format, size, mean in kinds:
        DurationHistory.objects.create(
            job_type=job_type,
            target_format=target_format,
            size_class=size,
            jobs=1,
            mean_seconds=mean,
            updated_at="2026-01-01T00:00:00Z",
        )


def test_completed_jobs_are_learnt_by_type_format_and_size() -> None:
    for size in (5 * MIB, 7 * MIB):
        ended(job_type="transcode", target_format="mp4", source_bytes=size, run=size / MIB)
    ended(job_type="transcode", target_format="mp4", source_bytes=8 * MIB, run=100)
    ended(job_type="transcode", target_format="mp4", source_bytes=0, run=0.5)
    ended(job_type="simulate", target_format="mp4", run=9)
    ended(Status.FAILED, job_type="transcode", target_format="mp4", source_bytes=MIB, run=1)
    learn()
    learnt = DurationHistory.objects.values_list("job_type", "size_class", "jobs", "mean_seconds")
    assert {(*kind, round(mean, 3)) for *kind, mean in learnt} == {
        ("transcode", 22, 2, 6.0),
        ("transcode", 23, 1, 100.0),
        ("transcode", 0, 1, 0.5),
        ("simulate", -1, 1, 9.0),
    }
    assert estimate("transcode", "mp4", 6 * MIB) == pytest.approx(6.0)
    assert estimate("simulate", "mp4", None) == pytest.approx(9)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 2**20 - 1, 2**20, 2**40, 2**62])
def test_python_and_the_database_agree_on_the_class(size: int) -> None:
    ended(source_bytes=size)
    learn()
    assert DurationHistory.objects.get().size_class == size_class(size)


def test_the_first_jobs_count_alike_and_later_the_newest_weigh_most() -> None:
    ended(run=10)
    ended(run=20)
    learn()
    assert DurationHistory.objects.get().mean_seconds == pytest.approx(15)
    DurationHistory.objects.update(jobs=1_000)
    ended(run=115, ago=0)
    learn()
    [history] = DurationHistory.objects.all()
    assert history.mean_seconds == pytest.approx(15 + durations.NEWEST * 100, rel=0.01)


def test_the_nearest_class_is_scaled_by_size() -> None:
    known(("transcode", "mp4", 20, 10.0), ("transcode", "mp4", 30, 5000.0))
    small = estimate("transcode", "mp4", 2**22)
    assert small == pytest.approx(10.0 * 2**22 / 2**20.5)
    assert estimate("transcode", "mp4", 2**29) == pytest.approx(5000.0 * 2**29 / 2**30.5)


def test_what_is_not_known_is_not_guessed() -> None:
    known(("transcode", "mp4", 20, 10.0), ("simulate", "webm", -1, 10.0))
    assert estimate("transcode", "webm", 2**20) is None
    assert estimate("other", "mp4", 2**20) is None
    assert estimate("transcode", "mp4", None) is None
    assert estimate("simulate", "webm", 2**20) is None


def test_a_submission_costs_no_statement(
    django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(("transcode", "mp4", 20, 10.0))
    with django_assert_num_queries(1):
        for _ in range(100):
            assert estimate("transcode", "mp4", 2**20) == 10.0
    DurationHistory.objects.update(mean_seconds=20.0)
    assert estimate("transcode", "mp4", 2**20) == 10.0
    monkeypatch.setattr(estimates, "CACHE_SECONDS", 0.0)
    assert estimate("transcode", "mp4", 2**20) == 20.0
