"""The client and the whole service: real jobs, through a connection that loses answers."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mediaproc import embedded_postgres
from mediaproc.client import (
    Client,
    Conflict,
    Job,
    JobNotCompleted,
    NotAuthenticated,
    NotFound,
    NothingSubmitted,
    TooManyRequests,
    WaitTimedOut,
)
from tests import production
from tests.films import make_film
from tests.integration.client.between import Between, between
from tests.service import PROJECT, STOP_SECONDS, Service
from tests.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]


class _Simulating(Service):
    """Simulated jobs last until they are cancelled, and those of high priority get on; anybody may
    register."""

    def environment(self, **more: str) -> dict[str, str]:
        own = {
            "SIMULATE_SECONDS_HIGH": "20-20",
            "SIMULATE_SECONDS_LOW": "600-600",
            "ALLOW_REGISTRATION": "True",
        }
        return super().environment(**own, **more)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A running service of these tests' own, with a film."""
    # As root, pytest's own folders are closed to the account of the database server.
    with tempfile.TemporaryDirectory(prefix="mediaproc-client-") as name:
        Path(name).chmod(0o755)
        service = _Simulating(Path(name))
        started = service.start()
        try:
            make_film(service.media, "film.mp4", seconds=3)
            (service.media / "sources" / "broken.mp4").write_bytes(b"no film")
            yield service
            started.send_signal(signal.SIGTERM)
            started.wait(STOP_SECONDS)
        finally:
            service.kill_everything()
            embedded_postgres.remove(service.root)


@pytest.fixture
def line(service: Service) -> Iterator[Between]:
    """What is between the client and the service."""
    with between(service.port) as proxy:
        yield proxy


@pytest.fixture
def client(line: Between) -> Iterator[Client]:
    """A client on that line."""
    with Client(line.url) as client:
        yield client


def test_a_film(client: Client, line: Between, service: Service, tmp_path: Path) -> None:
    seen: list[Job] = []
    job = client.submit("film.mp4", "webm", name="Film", priority="high", max_retries=1)
    final = client.wait(job, timeout=120, on_progress=seen.append)
    assert (final.status, final.progress, final.name) == ("COMPLETED", 1.0, "Film")
    assert final.completed_at is not None
    assert final.completed_at > final.created_at
    assert {each.id for each in seen} == {job.id}
    assert seen[-1] == final
    assert [event.kind for event in client.events(job)][-1] == "completed"
    assert [attempt.outcome for attempt in client.attempts(job)] == ["completed"]
    line.lose_the_next_answer(after=20_000)
    saved = client.output(job, tmp_path)
    assert line.lost == 1
    assert line.statuses[206] == 1
    assert [saved] == list(tmp_path.iterdir())
    assert saved.read_bytes() == (service.media / "outputs" / final.result["output"]).read_bytes()
    again = client.replay(job)
    assert again.replay_of == job.id
    client.cancel(again)
    assert client.wait(again, timeout=60).status == "CANCELLED"
    assert client.retry(again).status in {"QUEUED", "IN_PROGRESS"}
    client.cancel(again)
    client.wait(again, timeout=60)
    client.remove(again)


def test_progress_is_told_of(client: Client) -> None:
    """Of a job that lasts until somebody has seen some."""
    seen: list[float] = []
    job = client.submit("a.mp4", "avi", priority="high")

    def look(job: Job) -> None:
        if job.status == "IN_PROGRESS" and job.progress and not seen:
            seen.append(job.progress)
            client.cancel(job)

    assert client.wait(job, timeout=120, on_progress=look).status == "CANCELLED"
    assert 0 < seen[0] < 1


def test_lists_types_and_schedules(client: Client) -> None:
    ids = [client.submit("a.mp4", "avi", priority="low", name="Listed").id for _ in range(5)]
    assert [job.id for job in client.list(priority="low", limit=2)] == ids[::-1]
    for job_id in ids:
        client.cancel(job_id)
    assert "webm" in client.types()["transcode"].target_formats
    schedule = client.schedules.create(
        "Nightly", "0 3 * * *", source_file="film.mp4", target_format="webm"
    )
    assert list(client.schedules.list()) == [schedule] == [client.schedules.get(schedule.id)]
    assert client.schedules.pause(schedule.id).paused
    assert not client.schedules.resume(schedule.id).paused
    assert client.schedules.update(schedule.id, cron="0 4 * * *").cron == "0 4 * * *"
    client.schedules.remove(schedule.id)
    assert list(client.schedules.list()) == []


def test_batches(client: Client, tmp_path: Path) -> None:
    job = {"source_file": "a.mp4", "target_format": "avi", "priority": "low"}
    jobs: list[dict[str, object]] = [{**job} for _ in range(3)]
    made = client.batches.submit(jobs)
    assert (made.accepted, made.rejected, made.total) == (3, 0, 3)
    assert client.batches.cancel(made) == 3
    assert len({job.id for job in client.list(batch=made.batch, limit=2)}) == 3
    broken = [*jobs, {**job, "priority": 99}]
    with pytest.raises(NothingSubmitted, match="row 4, priority"):
        client.batches.submit(broken)
    part = client.batches.submit(broken, partial=True)
    assert (part.accepted, part.rejected) == (3, 1)
    client.batches.cancel(part)
    # More than the service reads at once: a worker makes these jobs.
    table = tmp_path / "jobs.csv"
    line = "a.mp4,avi,high,2039-01-31T00:00:00Z\n"
    table.write_text("source_file,target_format,priority,scheduled_at\n" + 10_500 * line)
    large = client.batches.submit_table(table, timeout=120)
    assert (large.accepted, large.total) == (10_500, 10_500)
    assert client.batches.cancel(large) == 10_500


def test_a_job_that_does_not_complete(client: Client) -> None:
    with pytest.raises(JobNotCompleted, match="unreadable_media") as caught:
        client.submit_and_wait("broken.mp4", "webm", priority="high", progress=True)
    assert caught.value.job.status == "FAILED"
    with pytest.raises(Conflict) as conflict:
        client.cancel(caught.value.job)
    assert conflict.value.job_status == "FAILED"


def test_a_submission_whose_answer_is_lost_is_one_job(client: Client, line: Between) -> None:
    line.lose_the_next_answer()
    job = client.submit("a.mp4", "avi", priority="low", name="Once")
    assert line.lost == 1
    assert [each.id for each in client.list(priority="low") if each.name == "Once"] == [job.id]
    client.cancel(job)


def test_a_job_that_has_not_changed_is_not_sent_again(client: Client, line: Between) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    job = client.submit("a.mp4", "avi", scheduled_at=at)
    with pytest.raises(WaitTimedOut):
        client.wait(job, timeout=1)
    assert line.statuses[304] > 0
    assert line.statuses[200] == 1
    client.cancel(job)


def test_a_cancellation_whose_answer_is_lost(client: Client, line: Between) -> None:
    job = client.submit("a.mp4", "avi", priority="low")
    line.lose_the_next_answer()
    client.cancel(job)
    assert line.lost == 1
    assert client.wait(job, timeout=60).status == "CANCELLED"


def test_the_database_restarts(client: Client, line: Between, service: Service) -> None:
    server = embedded_postgres.start(service.root)
    with server, ThreadPoolExecutor() as threads:
        with server.outage():
            asked = threads.submit(client.submit, "a.mp4", "avi", priority="low", name="Patience")
            wait_until(lambda: line.statuses[503], "the service answers 503")
        job = asked.result(timeout=60)
    assert [
        each.id for each in client.list(priority="low", limit=200) if each.name == "Patience"
    ] == [job.id]
    client.cancel(job)


def test_an_account_and_its_limit(client: Client, line: Between) -> None:
    password = "a long enough passphrase"
    assert client.account.register("alice", password)["username"] == "alice"
    with pytest.raises(NotAuthenticated, match="wrong_credentials"):
        client.account.login("alice", "another passphrase")
    token = client.account.login("alice", password)
    limits = client.account.me()["limits"]
    job = client.submit("a.mp4", "avi", priority="low")
    assert [each.id for each in client.list()] == [job.id]
    with Client(line.url) as anybody, pytest.raises(NotFound):
        anybody.get(job)
    # Patient enough for a thread of the service that has not noticed that the database restarted.
    with Client(line.url, token, patience=8) as other:
        other.cancel(job)
        with pytest.raises(TooManyRequests) as caught:
            _submit(other, 3 * limits["jobs_a_minute"])
    assert caught.value.code == "too_many_submissions"
    assert 0 < (caught.value.retry_after or 0) <= 60
    client.account.logout()
    with Client(line.url, token) as late, pytest.raises(NotAuthenticated):
        late.account.me()


def _submit(client: Client, jobs: int) -> None:
    for _ in range(jobs):
        client.cancel(client.submit("a.mp4", "avi", priority="low"))


def _command(line: Between, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "mediaproc.client", "--url", line.url, *arguments],
        cwd=PROJECT,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_command(line: Between) -> None:
    done = _command(
        line, "submit", "audio.wav", "--to", "mp3", "--priority", "10", "--wait", "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    job = json.loads(done.stdout)
    assert (job["status"], job["priority"]) == ("COMPLETED", 10)
    shown = _command(line, "show", job["id"])
    assert shown.stdout == f"{job['id']} COMPLETED\n"
    refused = _command(line, "cancel", job["id"])
    assert refused.returncode == 2
    assert refused.stderr.startswith("mediaproc: 409 already_final: ")
    failed = _command(line, "submit", "broken.mp4", "--to", "webm", "--priority", "high", "--wait")
    assert failed.returncode == 1
    assert "unreadable_media" in failed.stderr


def test_a_bar_at_a_terminal_and_the_answer_beside_it(line: Between) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mediaproc.client", "--url", line.url]
    with subprocess.Popen(
        [*command, "submit", "audio.wav", "--to", "mp3", "--name", "Sound", "--wait"],
        cwd=PROJECT,
        env={"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as started:
        os.close(theirs)
        assert started.stdout is not None
        answer = started.stdout.read().decode()
    shown = b""
    with contextlib.suppress(OSError):  # nobody writes to it any more
        while said := os.read(ours, 65536):
            shown += said
    os.close(ours)
    assert answer.endswith(" COMPLETED\n")
    assert "Sound" in shown.decode()
    assert "100%" in shown.decode()


def test_a_client_that_is_generated_from_the_schema(service: Service, tmp_path: Path) -> None:
    schema, folder = tmp_path / "schema.yaml", tmp_path / "generated"
    # The generator knows no CSV: to it a table is a file.
    config = tmp_path / "config.yaml"
    config.write_text("content_type_overrides: {text/csv: application/octet-stream}")
    asked = production.manage(
        "spectacular", "--file", str(schema), "--validate", "--fail-on-warn", DEBUG="True"
    )
    assert asked.returncode == 0, asked.stderr
    made = production.run(
        "openapi-python-client", "generate", "--path", str(schema), "--meta", "none",
        "--output-path", str(folder), "--fail-on-warning", "--config", str(config),
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    program = PROJECT / "tests" / "integration" / "client" / "generated.py"
    root = service.url.removesuffix("/api/v1")
    ran = production.run(sys.executable, str(program), str(folder), root)
    assert ran.returncode == 0, ran.stderr
    status, shape, operations = ran.stdout.split()
    assert (status, shape) == ("200", "JobTypeList")
    assert int(operations) > 40
