"""Real worker processes start what is due when it is due, and fire schedules once between them."""

import signal
from datetime import timedelta

import pytest

from jobs.models import CLOCK, Job, Schedule, ScheduleFire
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from tests.schedules import fired, hourly, miss
from tests.waiting import wait_until
from tests.workers import Workers, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

# Who did not know when something is due would look that late, or later.
SCAN_SECONDS = 120.0
NEXT_LOOK = timedelta(seconds=0.7 * SCAN_SECONDS)
RARELY = str(SCAN_SECONDS)


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("signals", ["True", "False"])
def test_due_jobs_start_at_their_time_and_not_at_the_next_look(
    workers: Workers, processes: int, signals: str
) -> None:
    now = Job.objects.create(job_type="noop", status=Status.CANCELLED, completed_at=CLOCK)
    now.refresh_from_db()
    due = [
        submit(NewJob("noop", priority=9, scheduled_at=now.created_at + timedelta(seconds=seconds)))
        for seconds in (0.5, 6.0, 7.0, 8.5)
    ]
    for _ in range(processes):
        workers.start(
            "--queue", "high", ready=False, WAKEUP_NOTIFY=signals, JOB_RETRY_SCAN_SECONDS=RARELY
        )
    jobs = wait_final(*[job.id for job in due], seconds=SCAN_SECONDS)
    for job in jobs[1:]:  # the first was due before anybody looked
        assert job.started_at is not None
        assert job.scheduled_at is not None
        assert timedelta(0) <= job.started_at - job.scheduled_at < NEXT_LOOK / 3
    assert [job.attempt for job in jobs] == [1, 1, 1, 1]


def test_a_schedule_fires_at_its_time_and_not_at_the_next_look(workers: Workers) -> None:
    schedule = hourly(priority=9)
    Schedule.objects.update(next_fire_at=CLOCK + timedelta(seconds=6))
    due = Schedule.objects.get().next_fire_at
    assert due is not None
    workers.start("--queue", "high", JOB_RETRY_SCAN_SECONDS=RARELY)
    wait_until(
        lambda: Job.objects.filter(status=Status.COMPLETED).exists(), "it ran", seconds=SCAN_SECONDS
    )
    assert fired(schedule) == [due]
    job = Job.objects.get()
    assert job.started_at is not None
    assert timedelta(0) <= job.started_at - due < NEXT_LOOK / 3


def test_five_processes_fire_once_though_some_are_killed(workers: Workers) -> None:
    """Each schedule has missed enough for its transaction to last; two processes die meanwhile."""
    schedules = [hourly(f"{number}", missed_runs="all", priority=9) for number in range(12)]
    missed = [miss(schedule, 150) for schedule in schedules]
    started = [workers.start("--queue", "low", ready=False) for _ in range(5)]
    for number, victim in enumerate(started[:2], start=1):
        wait_until(
            lambda number=number: ScheduleFire.objects.count() >= number * 150,  # type: ignore[misc]
            "some were fired",
        )
        victim.send(signal.SIGKILL)
    wait_until(lambda: ScheduleFire.objects.count() >= 12 * 150, "all were fired", seconds=120)
    assert [fired(schedule) for schedule in schedules] == missed
    assert not Schedule.objects.exclude(error="").exists()
    assert not Schedule.objects.filter(next_fire_at__lte=CLOCK).exists()


def test_a_job_type_or_source_that_is_gone_fails_the_job_in_words(workers: Workers) -> None:
    gone = hourly("type", job_type="gone", priority=9)
    lost = hourly("source", job_type="transcode", source_file="x.mp4", target_format="avi")
    miss(gone, 1)
    miss(lost, 1)
    workers.start()
    wait_until(lambda: Job.objects.filter(status=Status.FAILED).count() == 2, "both failed")
    found = {job.job_type: (job.error_code, job.error_message) for job in Job.objects.all()}
    assert found["gone"] == ("unknown_job_type", "This worker knows no job type 'gone'.")
    assert found["transcode"][0] == "source_not_found"
    assert not Schedule.objects.exclude(error="").exists()
    assert Schedule.objects.filter(next_fire_at__gt=CLOCK).count() == 2
