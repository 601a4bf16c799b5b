"""Real workers, local and remote ones, with a real scanner."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pytest_django import Settings

from jobs.media.transcode import transcode as make
from jobs.models import Job, JobAttempt
from jobs.queue.cancel import cancel
from jobs.queue.submit import NewJob, submit
from jobs.remote.errors import Busy
from jobs.remote.sources import source_of
from jobs.scan.errors import ScanUnavailable, Stopped
from jobs.scan.files import never, scan_source
from jobs.states import Status
from tests.accounts import user_named
from tests.clamd_server import MARKER, SIGNATURE, ClamdServer, needs_clamd
from tests.integration.remote.conftest import RemoteWorkers, token_of
from tests.integration.remote.test_protocol import bring, complete, files, leased, refused, say
from tests.integration.scan.conftest import silent
from tests.rows import claim_one
from tests.waiting import wait_until
from tests.web import WebServer
from tests.workers import Workers, database_url, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def store(media_root: Path, house_wav: Path) -> Path:
    """With a clean source, and one with malware at its end."""
    shutil.copy(house_wav, media_root / "sources" / "clean.wav")
    (media_root / "sources" / "bad.wav").write_bytes(house_wav.read_bytes() + MARKER)
    return media_root


@pytest.fixture
def sound(store: Path) -> bytes:
    """What a transcode of the clean source to wav is."""
    make(store / "sources" / "clean.wav", store / "made.wav", "wav")
    return (store / "made.wav").read_bytes()


@pytest.fixture
def web(
    transactional_db: None, store: Path, clamd: ClamdServer, tmp_path: Path
) -> Iterator[WebServer]:
    server = WebServer(
        database_url(),
        store,
        tmp_path / "web.log",
        SCANNER=clamd.tcp,
        JOB_LEASE_SECONDS="5",
        JOB_RETRY_SCAN_SECONDS="3600",
    )
    server.token = token_of(user_named("staff", is_staff=True))
    yield server
    server.stop()


@pytest.fixture
def remote(web: WebServer, tmp_path: Path) -> Iterator[RemoteWorkers]:
    started = RemoteWorkers(web, tmp_path)
    yield started
    started.kill_all()


@pytest.fixture
def wanted() -> dict[str, Any]:
    return {"pool": "low", "types": ["transcode"], "count": 1, "version": 1, "name": "test:1"}


def transcode(source: str, target: str = "wav", **values: Any) -> Job:
    return submit(NewJob("transcode", source, target, **{"priority": 2, **values}))


def is_malware(job: Job, what: str) -> None:
    assert (job.status, job.error_code, job.attempt) == (Status.FAILED, "malware_found", 1)
    assert job.error_message == f"The {what} is refused. It holds known malware: {SIGNATURE}."


@needs_clamd
def test_a_local_worker(workers: Workers, store: Path, clamd: ClamdServer) -> None:
    worker = workers.start("--queue", "low", MEDIA_ROOT=str(store), SCANNER=clamd.unix)
    jobs = [transcode("bad.wav"), transcode("clean.wav"), transcode("clean.wav", "mp3")]
    bad, *good = wait_final(*[job.id for job in jobs])
    is_malware(bad, "source")
    assert {job.status for job in good} == {Status.COMPLETED}
    assert files(store) == sorted(f"{job.lease}.{job.target_format}" for job in good)
    [event] = worker.events("malware.found")
    assert (event["job_id"], event["signature"], event["file"]) == (
        str(bad.id),
        SIGNATURE,
        "source",
    )

    clamd.stop()
    (store / "sources" / "clean.wav").touch()  # so that it is not known
    again = transcode("clean.wav")
    tried = JobAttempt.objects.filter(job_id=again.id)
    wait_until(tried.exists, "an attempt has failed")
    failed = tried.get()
    assert (failed.outcome, failed.error_code) == ("retry", "scan_unavailable")
    again.refresh_from_db()
    assert again.status == Status.PENDING
    assert worker.events("scan.unavailable")
    clamd.start()
    Job.objects.filter(id=again.id).update(scheduled_at=again.created_at)
    [done] = wait_final(again.id)
    assert (done.status, done.attempt) == (Status.COMPLETED, 2)


def test_a_cancel_while_it_is_scanned(workers: Workers, store: Path) -> None:
    with silent() as scanner:
        workers.start("--queue", "low", MEDIA_ROOT=str(store), SCANNER=scanner)
        job = transcode("clean.wav")
        wait_until(
            lambda: Job.objects.get(id=job.id).progress_message == "scanning the source",
            "it says that it is scanned",
        )
        assert cancel(job.id) == Status.IN_PROGRESS
        [done] = wait_final(job.id)
    assert (done.status, files(store)) == (Status.CANCELLED, [])


@needs_clamd
def test_a_source_that_a_remote_worker_asks_for(
    web: WebServer, wanted: dict[str, Any], store: Path, clamd: ClamdServer
) -> None:
    transcode("bad.wav")
    job = leased(web, wanted)
    refused(web.call("GET", job["addresses"]["source"]), 422, "malware_found")
    bad = Job.objects.get()
    is_malware(bad, "source")
    refused(web.call("GET", job["addresses"]["source"]), 409, "lease_lost")
    assert f'"{bad.id}"' in web.log.read_text()
    assert "malware.found" in web.log.read_text()
    Job.objects.all().delete()

    transcode("clean.wav")
    job = leased(web, wanted)
    clamd.stop()
    answer = web.call("GET", job["addresses"]["source"])
    refused(answer, 503, "scan_unavailable")
    assert answer.headers["Retry-After"] == "30"
    assert say(web, job, "progress").status_code == 200
    clamd.start()
    whole = (store / "sources" / "clean.wav").read_bytes()
    assert web.call("GET", job["addresses"]["source"]).content == whole
    clamd.stop()  # the rest of a download that broke is not scanned again
    part = web.call("GET", job["addresses"]["source"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])


def test_a_source_is_scanned_for_one_at_a_time(settings: Settings, store: Path) -> None:
    path = store / "sources" / "clean.wav"
    job = transcode("clean.wav")
    attempt = claim_one()
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        over.set()
        return False

    def stop() -> bool:
        begun.set()
        return over.is_set()

    begun, over = Event(), Event()
    with silent() as scanner, ThreadPoolExecutor(2) as threads:
        settings.SCANNER = scanner
        first = threads.submit(scan_source, path, job.id, stop, wait)
        wait_until(begun.is_set, "it is scanned")
        with pytest.raises(Busy):
            source_of(job.id, attempt.lease)
        second = threads.submit(scan_source, path, job.id, never, wait)
        settings.SCANNER_TIMEOUT = 0.1
        for one, end in ((first, Stopped), (second, ScanUnavailable)):
            with pytest.raises(end):
                one.result()
    assert waited  # and then it took its turn


@needs_clamd
def test_what_a_remote_worker_brings(
    web: WebServer, wanted: dict[str, Any], store: Path, clamd: ClamdServer, sound: bytes
) -> None:
    transcode("clean.wav")
    job = leased(web, wanted)
    assert bring(web, job, sound + MARKER).status_code == 204
    refused(complete(web, job), 422, "malware_found")
    is_malware(Job.objects.get(), "output")
    assert files(store) == []
    refused(complete(web, job), 409, "lease_lost")
    Job.objects.all().delete()

    transcode("clean.wav")
    job = leased(web, wanted)
    assert bring(web, job, sound).status_code == 204
    clamd.stop()
    for _ in range(2):
        answer = complete(web, job)
        refused(answer, 503, "scan_unavailable")
        assert answer.headers["Retry-After"] == "30"
        assert say(web, job, "progress").status_code == 200
    assert [name.rpartition(".")[2] for name in files(store)] == ["part"]
    clamd.start()
    assert complete(web, job).json() == {"status": "COMPLETED"}
    assert [name.rpartition(".")[2] for name in files(store)] == ["wav"]

    # Published before, when the database did not answer: it was scanned then.
    job_id = transcode("clean.wav").id
    job = leased(web, wanted)
    assert bring(web, job, sound).status_code == 204
    [part] = (store / "outputs" / str(job_id)).iterdir()
    part.rename(part.with_suffix(""))
    clamd.stop()
    assert complete(web, job).json() == {"status": "COMPLETED"}


@needs_clamd
def test_a_remote_worker_goes_on_after_malware(
    remote: RemoteWorkers, store: Path, clamd: ClamdServer
) -> None:
    jobs = [transcode("bad.wav", priority=3), transcode("clean.wav")]
    worker = remote.start("--once")
    bad, good = wait_final(*[job.id for job in jobs])
    is_malware(bad, "source")
    assert (good.status, good.attempt) == (Status.COMPLETED, 1)
    assert worker.wait() == 0, worker.output()
    assert [event["job_id"] for event in worker.events("job.refused")] == [str(bad.id)]
