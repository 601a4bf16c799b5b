"""A whole life of a job over HTTP, on what `make run` starts: everything is asked for as a client
asks, and the events tell all of it."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from mediaproc import embedded_postgres
from tests.films import ffmpegs, make_film, runs
from tests.service import PROJECT, STOP_SECONDS, Service
from tests.waiting import wait_until

LEASE_SECONDS = 3
SCAN_SECONDS = 10
# Of a busy machine: here other tests run beside it.
SLACK_SECONDS = 10
pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]


class _Client(Service):
    """A service, and the requests of somebody who uses it."""

    def environment(self, **more: str) -> dict[str, str]:
        # Simulated jobs of low priority hold their thread until they are cancelled.
        own = {
            "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
            "JOB_RETRY_SCAN_SECONDS": str(SCAN_SECONDS),
            "SIMULATE_SECONDS_LOW": "600-600",
        }
        return super().environment(**own, **more)

    def ask(self, method: str, path: str, status: int, **body: Any) -> Any:
        """The answer's JSON, after checking its status; None where there is none."""
        answer = httpx.request(method, f"{self.url}/{path}", json=body or None, timeout=60)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def job(self, job_id: str) -> dict[str, Any]:
        """What the job's own address tells."""
        return dict(self.ask("GET", f"jobs/{job_id}", 200))

    def wait(self, job_id: str, status: str) -> dict[str, Any]:
        """The job, once it has this status."""
        what = f"{job_id} is {status}"
        return wait_until(
            lambda: [job for job in [self.job(job_id)] if job["status"] == status],
            what,
            seconds=90,
        )[0]

    def wait_for_progress(self, job_id: str, beyond: float) -> dict[str, Any]:
        """The running job, once it has got further than this."""

        def look() -> list[dict[str, Any]]:
            job = self.job(job_id)
            assert job["status"] in {"QUEUED", "IN_PROGRESS"}, job
            return [job] if (job["progress"] or 0) > beyond else []

        return wait_until(look, f"{job_id} gets on", seconds=120)[0]

    def outputs(self, job_id: str) -> list[str]:
        """What the media store has of this job."""
        return sorted(path.name for path in (self.media / "outputs" / job_id).glob("*"))


@pytest.fixture(scope="module")
def service() -> Iterator[_Client]:
    """A running service of these tests' own, with a film."""
    # As root, pytest's own folders are closed to the account of the database server.
    with tempfile.TemporaryDirectory(prefix="mediaproc-life-") as name:
        Path(name).chmod(0o755)
        service = _Client(Path(name))
        started = service.start()
        try:
            make_film(service.media, "film.mp4", seconds=60)
            yield service
            started.send_signal(signal.SIGTERM)
            started.wait(STOP_SECONDS)
        finally:
            service.kill_everything()
            embedded_postgres.remove(service.root)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_scheduled_run_cancelled_retried_completed_replayed_deleted(service: _Client) -> None:
    at = datetime.now(UTC) + timedelta(seconds=2)
    film = {"source_file": "film.mp4", "target_format": "webm", "priority": "high"}
    job = service.ask(
        "POST", "jobs", 201, **film, name="Film", scheduled_at=at.isoformat(), max_retries=1
    )
    job_id = job["id"]
    assert (job["status"], job["queued_at"]) == ("PENDING", None)

    # It starts at its time and not at the next look, and tells how it gets on.
    job = service.wait(job_id, "IN_PROGRESS")
    assert 0 <= (_moment(job["started_at"]) - at).total_seconds() < 0.7 * SCAN_SECONDS
    early = service.wait_for_progress(job_id, 0.0)
    later = service.wait_for_progress(job_id, early["progress"])
    assert 0 < early["progress"] < later["progress"] < 1
    assert later["seconds_left"] > 0
    assert [name.endswith(".part") for name in service.outputs(job_id)] == [True]

    # Cancelled in the middle: soon, and nothing of it stays.
    asked = service.ask("DELETE", f"jobs/{job_id}", 202)
    assert (asked["status"], asked["cancel_requested"]) == ("IN_PROGRESS", True)
    job = service.wait(job_id, "CANCELLED")
    assert (job["result"], job["error_code"]) == (None, None)
    assert service.outputs(job_id) == []
    refused = service.ask("POST", f"jobs/{job_id}/cancel", 409)
    assert (refused["code"], refused["job_status"]) == ("already_final", "CANCELLED")

    # The same job again, to its end; the film has become shorter.
    sources = service.media / "sources"
    (sources / "film.mp4").rename(sources / "long.mp4")
    make_film(service.media, "film.mp4", seconds=2)
    again = service.ask("POST", f"jobs/{job_id}/retry", 200)
    assert (again["id"], again["cancel_requested"]) == (job_id, False)
    job = service.wait(job_id, "COMPLETED")
    assert (job["attempt"], job["progress"]) == (1, 1.0)
    assert [f"{job_id}/{name}" for name in service.outputs(job_id)] == [job["result"]["output"]]
    assert service.ask("POST", f"jobs/{job_id}/retry", 409)["code"] == "not_retriable"

    # A new job like it, which is cancelled too: one whole encode is enough.
    (sources / "long.mp4").rename(sources / "film.mp4")
    replayed = service.ask("POST", f"jobs/{job_id}/replay", 201)
    assert (replayed["replay_of"], replayed["name"]) == (job_id, "Film")
    service.wait(replayed["id"], "IN_PROGRESS")
    service.ask("DELETE", f"jobs/{replayed['id']}", 202)
    service.wait(replayed["id"], "CANCELLED")

    told = service.ask("GET", f"jobs/{job_id}/events", 200)
    events = {event["kind"]: event for event in told["events"]}
    assert [event["kind"] for event in told["events"]] == [
        "created", "scheduled", "queued", "attempt_started", "cancel_requested", "attempt_ended",
        "cancelled", "retried", "queued", "attempt_started", "attempt_ended", "completed",
        "replayed",
    ]  # fmt: skip
    assert _moment(events["scheduled"]["detail"]["scheduled_at"]) == at
    assert events["replayed"]["detail"] == {"job": replayed["id"]}
    took = _moment(events["cancelled"]["at"]) - _moment(events["cancel_requested"]["at"])
    assert took < timedelta(seconds=1 + SLACK_SECONDS)
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["cancelled", "completed"]

    # A final job is removed, with its output.
    service.ask("DELETE", f"jobs/{job_id}", 204)
    assert service.ask("GET", f"jobs/{job_id}", 404)["code"] == "not_found"
    assert service.ask("GET", f"jobs/{job_id}/events", 404)["code"] == "not_found"
    assert not (service.media / "outputs" / job_id).exists()


def test_a_killed_worker_is_told_of(service: _Client, tmp_path: Path) -> None:
    simulated = {"job_type": "simulate", "source_file": "a.mp4", "target_format": "avi"}
    low = [service.ask("POST", "jobs", 201, **simulated, priority="low") for _ in range(2)]
    for job in low:
        service.wait(job["id"], "IN_PROGRESS")

    # The service's own worker has no thread free: a second one takes the film, and is killed.
    film = {"source_file": "film.mp4", "target_format": "webm", "priority": "low"}
    with _second_worker(service, tmp_path / "second.log") as worker:
        job_id = service.ask("POST", "jobs", 201, **film)["id"]
        service.wait_for_progress(job_id, 0.0)
        encoders = ffmpegs(worker.pid)
        assert encoders
        killed_at = datetime.now(UTC)
    wait_until(lambda: not any(runs(each) for each in encoders), "its ffmpeg is gone")
    for job in low:
        service.ask("DELETE", f"jobs/{job['id']}", 202)

    wait_until(lambda: _outcomes(service, job_id) == ["lost", "running"], "tried again")
    service.ask("DELETE", f"jobs/{job_id}", 202)
    service.wait(job_id, "CANCELLED")
    told = service.ask("GET", f"jobs/{job_id}/events", 200)
    lost, cancelled = told["attempts"]
    assert (lost["outcome"], cancelled["outcome"]) == ("lost", "cancelled")
    assert lost["worker"].endswith(f":{worker.pid}")
    assert cancelled["worker"] != lost["worker"]
    ended = [event for event in told["events"] if event["kind"] == "attempt_ended"]
    assert [event["detail"]["outcome"] for event in ended] == ["lost", "cancelled"]
    late = (_moment(ended[0]["at"]) - killed_at).total_seconds()
    assert 0 < late < LEASE_SECONDS + SCAN_SECONDS + SLACK_SECONDS
    assert service.outputs(job_id) == []


@contextmanager
def _second_worker(service: _Client, log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """One more process for the low pool, which is killed in the end."""
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "run_workers", "--queue", "low"],
            cwd=PROJECT,
            env=service.environment(DEBUG="True"),
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: "worker.started" in log.read_text(), "a second worker")
        yield worker
    finally:
        worker.kill()
        worker.wait()


def _outcomes(service: _Client, job_id: str) -> list[str]:
    told = service.ask("GET", f"jobs/{job_id}/events", 200)
    return [attempt["outcome"] for attempt in told["attempts"]]
