"""Ended jobs go when their time is over, with all that is kept about them; others stay."""

import os
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from jobs import storage
from jobs.models import (
    Job,
    JobAttempt,
    JobCheckpoint,
    JobEvent,
    JobMetrics,
    RollupMark,
    new_id,
)
from jobs.queue import prune as pruning
from jobs.queue.finish import finish
from jobs.queue.prune import Pruned, Pruner, prune
from jobs.queue.remove import remove
from jobs.states import FINAL, Status
from tests.ended import ended
from tests.rows import claim, finished, job_in, new_job

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 86_400.0


@pytest.fixture(autouse=True)
def _rolled_up(db: None, media_root: Path) -> None:
    RollupMark.objects.create(reached=timezone.now())


@pytest.fixture
def in_thread() -> Iterator[list[threading.Thread]]:
    """Threads that are joined at the end."""
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join()


def left() -> set[UUID]:
    """The jobs that are there."""
    return set(Job.objects.values_list("id", flat=True))


def output(job_id: UUID, name: str = "1.mp4") -> Path:
    """A file in the job's output folder."""
    path = storage.outputs_root() / str(job_id) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def age(folder: Path, seconds: float) -> None:
    """Nothing changed in the folder for so long."""
    then = time.time() - seconds
    os.utime(folder, (then, then))


def test_each_status_and_type_has_its_time(settings: Settings) -> None:
    settings.JOB_RETENTION = "failed=90d,cancelled=10d,mail:completed=7d,keep:failed=0"
    stay = [
        ended(ago=29 * DAY),
        ended(Status.FAILED, ago=89 * DAY),
        ended(Status.CANCELLED, ago=9 * DAY),
        ended(ago=6 * DAY, job_type="mail"),
        ended(Status.FAILED, ago=31 * DAY, job_type="mail"),
        ended(Status.FAILED, ago=900 * DAY, job_type="keep"),
    ]
    for job in (
        ended(ago=31 * DAY),
        ended(Status.FAILED, ago=91 * DAY),
        ended(Status.CANCELLED, ago=11 * DAY),
        ended(ago=8 * DAY, job_type="mail"),
        ended(ago=31 * DAY, job_type="keep"),
    ):
        assert job.id in left()
    assert prune() == Pruned(jobs=5)
    assert left() == {job.id for job in stay}
    assert set(JobMetrics.objects.values_list("job_id", flat=True)) == {
        job.id for job in stay if job.status == Status.COMPLETED
    }


def test_jobs_that_are_kept_longer_do_not_hide_those_behind_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_RETENTION = "completed=1d,keep:completed=never"
    monkeypatch.setattr(pruning, "BATCH", 3)
    moment = timezone.now() - timedelta(days=9)
    kept = {ended(at=moment, job_type="keep").id for _ in range(10)}
    for _ in range(5):
        ended(at=moment)
        ended(ago=2 * DAY)
    assert prune() == Pruned(jobs=10)
    assert left() == kept


def test_never_for_all_prunes_nothing(settings: Settings) -> None:
    settings.JOB_RETENTION = "completed=never,failed=never,cancelled=never"
    jobs = {ended(status, ago=5000 * DAY).id for status in FINAL}
    assert prune() == Pruned()
    assert left() == jobs


def test_jobs_that_have_not_ended_stay_however_old(settings: Settings) -> None:
    settings.JOB_RETENTION = "completed=1s,failed=1s,cancelled=1s"
    for status in set(Status) - FINAL:
        job = job_in(status)
        Job.objects.filter(id=job.id).update(created_at=timezone.now() - timedelta(days=5000))
    prune()
    assert len(left()) == 4


def test_what_is_not_added_up_yet_stays(settings: Settings) -> None:
    settings.JOB_RETENTION = "completed=1s"
    ended(ago=60)
    ended(Status.FAILED, ago=100 * DAY)
    RollupMark.objects.update(reached=timezone.now() - timedelta(days=200))
    assert prune() == Pruned()
    RollupMark.objects.all().delete()
    assert prune() == Pruned()
    RollupMark.objects.create(reached=timezone.now())
    assert prune() == Pruned(jobs=2)


def test_history_checkpoint_metrics_and_outputs_go_too() -> None:
    for status in FINAL:
        for job in (ended(status, ago=400 * DAY), ended(status, ago=60)):
            now = timezone.now()
            JobAttempt.objects.create(job=job, number=1, started_at=now, outcome="retry")
            JobEvent.objects.create(job=job, kind="retried")
            JobCheckpoint.objects.create(job=job)
            output(job.id)
            output(job.id, "7.mp4.part")
    assert prune() == Pruned(jobs=3)
    kept = left()
    assert len(kept) == 3
    for table in (JobAttempt, JobEvent, JobCheckpoint):
        assert set(table.objects.values_list("job_id", flat=True)) == kept
    assert {UUID(path.name) for path in storage.outputs_root().iterdir()} == kept


def test_a_job_that_somebody_has_locked_is_passed(in_thread: list[threading.Thread]) -> None:
    job, other = ended(ago=40 * DAY), ended(ago=40 * DAY)
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Job.objects.select_for_update().get(id=job.id)
            locked.set()
            assert release.wait(60)
        connection.close()

    in_thread.append(threading.Thread(target=hold))
    in_thread[0].start()
    assert locked.wait(60)
    assert prune() == Pruned(jobs=1)
    release.set()
    assert left() == {job.id}
    assert other.id not in left()


def test_only_final_jobs_can_be_removed() -> None:
    jobs = [job_in(status) for status in Status]
    assert set(remove([job.id for job in jobs])) == {job.id for job in jobs if job.status in FINAL}
    assert left() == {job.id for job in jobs if job.status not in FINAL}


def test_outputs_stay_when_the_rows_do() -> None:
    job = ended()
    path = output(job.id)

    with transaction.atomic():
        remove([job.id])
        transaction.set_rollback(True)
    assert path.exists()
    assert left() == {job.id}


def test_orphans_go_after_a_day_and_nothing_else() -> None:
    orphan, young = new_id(), new_id()
    job = ended()
    for job_id in (orphan, job.id):
        age(output(job_id).parent, 2 * DAY)
    age(output(orphan, "3.mp4.part").parent, 2 * DAY)
    output(young)
    stray = storage.outputs_root() / "notes"
    stray.mkdir()
    age(stray, 2 * DAY)
    outside = storage.sources_root() / "precious"
    outside.mkdir()
    link = storage.outputs_root() / str(new_id())
    link.symlink_to(outside)
    assert prune() == Pruned(orphans=1)
    assert {path.name for path in storage.outputs_root().iterdir()} == {
        str(young), str(job.id), "notes", link.name,
    }  # fmt: skip
    assert outside.is_dir()


def test_an_outputs_folder_that_cannot_be_deleted_is_told_and_the_rest_goes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [ended(ago=40 * DAY) for _ in range(2)]
    for job in jobs:
        output(job.id)
    delete = storage.delete_outputs

    def refuse(job_id: UUID) -> None:
        if job_id == jobs[0].id:
            raise PermissionError("read-only")
        delete(job_id)

    monkeypatch.setattr(storage, "delete_outputs", refuse)
    assert prune() == Pruned(jobs=2)
    assert [path.name for path in storage.outputs_root().iterdir()] == [str(jobs[0].id)]


def test_without_a_media_store_rows_are_pruned(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "absent"
    ended(ago=40 * DAY)
    assert prune() == Pruned(jobs=1)


def test_of_many_processes_one_prunes_in_an_hour_and_a_little_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 1)
    for _ in range(3):
        ended(ago=40 * DAY)
    one, other = Pruner(), Pruner()
    assert one.sweep(0.0)
    assert len(left()) == 2
    assert not other.sweep()
    assert len(left()) == 2
    while one.sweep(0.0):
        pass
    assert left() == set()
    ended(ago=40 * DAY)
    assert not one.sweep()
    assert len(left()) == 1
    RollupMark.objects.filter(id=2).update(reached=timezone.now() - timedelta(hours=1, seconds=1))
    assert not other.sweep()
    assert left() == set()
    # The clock was wrong when the last round began.
    ended(ago=40 * DAY)
    RollupMark.objects.filter(id=2).update(reached=timezone.now() + timedelta(days=365))
    assert not other.sweep()
    assert left() == set()


def test_all_orphans_go_within_sixteen_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    for digit in range(16):
        job_id = UUID(int=new_id().int // 16 * 16 + digit)
        age(output(job_id).parent, 2 * DAY)
    for hour in range(16):
        assert len(list(storage.outputs_root().iterdir())) == 16 - hour
        monkeypatch.setattr(pruning, "_begin_round", lambda hour=hour: 480_000 + hour)
        assert not Pruner().sweep()
    assert not list(storage.outputs_root().iterdir())


def test_live_jobs_go_on_beside_it(in_thread: list[threading.Thread]) -> None:
    """What is being submitted, run and settled is not lost, and nothing waits for a lock."""
    for _ in range(400):
        ended(ago=40 * DAY)
    errors: list[BaseException] = []
    stop = threading.Event()
    live: list[UUID] = []

    def work() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '500ms'")
            while not stop.is_set():
                live.append(new_job().id)
                finish([finished(one) for one in claim()])
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    in_thread.append(threading.Thread(target=work))
    in_thread[0].start()
    pruned = [prune().jobs for _ in range(2)]
    stop.set()
    in_thread[0].join()
    assert errors == []
    assert sum(pruned) == 400
    assert live
    assert left() == set(live)
