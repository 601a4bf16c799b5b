"""`manage.py jobs` and `manage.py create_job`: what operators see and do."""

import json
import signal
import subprocess
import sys
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper

from jobs.console.output import Output
from jobs.console.tail import tail
from jobs.models import Job, JobEvent
from jobs.outcomes import Failed
from jobs.queue.finish import finish
from jobs.queue.pause import pause, paused
from jobs.queue.selection import EVERYTHING
from jobs.states import Status
from tests.rows import claim_one, finished, job_in, new_job
from tests.waiting import wait_until
from tests.workers import PROJECT, Workers, environment_of, wait_final

pytestmark = pytest.mark.django_db


def said(*arguments: str) -> str:
    """What the command prints for people."""
    stream = StringIO()
    call_command("jobs", *arguments, stdout=stream)
    return stream.getvalue()


def told(*arguments: str) -> Any:
    """What the command tells machines."""
    return json.loads(said(*arguments, "--json"))


def failed_job() -> Job:
    job = new_job(max_attempts=1, name="[red]Film\x1b[31m")
    finish([finished(claim_one(), Failed("broken", code="bad", traceback="at line 7"))])
    return job


def test_the_list_shows_ids_whole_and_names_as_they_are() -> None:
    job = failed_job()
    text = said("list")
    assert str(job.id) in text
    assert "[red]Film?[31m" in text
    assert "\x1b" not in text
    [listed] = told("list", "--status", "FAILED", "--code", "bad", "--priority", "default")
    assert listed["id"] == str(job.id)
    assert told("list", "--status", "QUEUED") == []
    assert said("list", "--status", "QUEUED") == "Nothing.\n"


def test_the_list_filters_by_time() -> None:
    new_job()
    assert len(told("list", "--since", "2020-01-01 10:00:00")) == 1
    assert told("list", "--until", "2020-01-01T10:00:00Z") == []


def test_one_job_is_shown_with_attempts_and_traceback() -> None:
    job = failed_job()
    assert "at line 7" in said("show", str(job.id))
    shown = told("show", str(job.id))
    assert shown["error_code"] == "bad"
    assert [one["outcome"] for one in shown["attempts"]] == ["failed"]
    assert shown["events"][0]["kind"] == "created"


@pytest.mark.parametrize("status", list(Status))
def test_a_job_is_shown_in_every_state(status: Status) -> None:
    job = job_in(status)
    assert str(job.id) in said("show", str(job.id))
    assert told("show", str(job.id))["status"] == status


def test_reasons_and_statistics() -> None:
    failed_job()
    [reason] = told("reasons")
    assert (reason["jobs"], reason["error_code"], reason["example"]) == (1, "bad", "broken")
    assert "bad" in said("reasons")
    document = told("stats", "--hours", "1")
    assert document["counts"]["FAILED"]["jobs"] == 1
    assert document["by_type"]["noop"]["ended"]["FAILED"] == 1
    assert "exactness" in said("stats")


def test_jobs_are_changed_and_by_whom() -> None:
    job = failed_job()
    [result] = told("retry", str(job.id))
    assert result["done"]
    assert Job.objects.get().status == Status.QUEUED
    assert "command line" in JobEvent.objects.get().actor
    assert "cancelled" in said("cancel", str(job.id))
    assert told("replay", str(job.id))[0]["done"]
    assert Job.objects.count() == 2


def test_many_are_changed_by_a_filter() -> None:
    for _ in range(3):
        failed_job()
    assert told("retry", "--status", "FAILED") == {"action": "retry", "jobs": 3}
    assert "3 jobs" in said("cancel", "--type", "noop")
    assert set(Job.objects.values_list("status", flat=True)) == {"CANCELLED"}


def test_what_refuses_does_not_stop_the_others() -> None:
    first, second = failed_job(), new_job()
    stream = StringIO()
    with pytest.raises(CommandError, match="not every job") as refused:
        call_command("jobs", "retry", str(second.id), str(first.id), stdout=stream)
    assert refused.value.returncode == 1
    assert "only a FAILED or CANCELLED job can be retried" in stream.getvalue()
    first.refresh_from_db()
    assert first.status == Status.QUEUED


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        (["retry"], "--status FAILED", 2),
        (["show", str(uuid4())], "There is no job", 1),
        (["pause", "nope"], "Known pools: high, low", 1),
        (["drain", "nobody:1"], "jobs workers", 1),
        (["show", "7"], "not a job id", 1),
        (["list", "--limit", "0"], "from 1 to", 1),
        (["list", "--priority", "12"], "from 0 to 10", 1),
        (["list", "--since", "soon"], "no time", 1),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], message: str, status: int) -> None:
    with pytest.raises(CommandError, match=message) as refused:
        said(*arguments)
    assert refused.value.returncode == status


def test_pools_are_paused_and_resumed() -> None:
    assert told("pause", "low", "--reason", "disk full") == {"pool": "low", "paused": True}
    assert paused()["low"].reason == "disk full"
    assert "disk full" in said("pools")
    assert told("resume", "low") == {"pool": "low", "paused": False}
    assert not paused()
    assert "was not paused" in said("resume", "low")


@pytest.mark.django_db(transaction=True)
@pytest.mark.processes
def test_tail_follows_a_job_to_its_end(workers: Workers) -> None:
    stream = StringIO()
    output = Output(OutputWrapper(stream), as_json=True)
    workers.start("--queue", "low")
    jobs: list[Job] = []

    def ended() -> bool:
        if not jobs:
            jobs.append(new_job())
        return str(Status.COMPLETED) in stream.getvalue()

    tail(output, EVERYTHING, until=ended)

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {line["id"] for line in lines} == {str(jobs[0].id)}
    assert lines[-1]["status"] == Status.COMPLETED


@pytest.mark.django_db(transaction=True)
@pytest.mark.processes
def test_a_drained_worker_ends_and_a_paused_pool_waits(workers: Workers) -> None:
    pause("low")
    worker = workers.start()
    job = new_job()
    [row] = told("workers")
    assert row["pools"] == {"high": 4, "low": 2}
    assert Job.objects.get().status == Status.QUEUED
    said("resume", "low")
    wait_final(job.id)

    said("drain", row["name"])

    assert worker.wait() == 0
    wait_until(lambda: told("workers") == [], "its row goes")


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_ends_tail_without_a_traceback(workers: Workers) -> None:
    new_job()
    claim_one()  # what runs is told of at once
    with subprocess.Popen(
        [sys.executable, "manage.py", "jobs", "tail"],
        cwd=PROJECT,
        env=environment_of(workers.database_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
        assert process.wait(timeout=20) == 0


def test_create_job_as_documented() -> None:
    stream = StringIO()
    call_command(
        "create_job",
        "Immediate Task",
        "--type=noop",
        "--priority=5",
        "--max_retries=2",
        "--json",
        stdout=stream,
    )
    job = Job.objects.get()
    assert json.loads(stream.getvalue()) == {"id": str(job.id), "status": "QUEUED"}
    assert (job.name, job.priority, job.max_attempts) == ("Immediate Task", 5, 3)


def test_create_job_for_later() -> None:
    call_command(
        "create_job",
        "Later",
        "--type=noop",
        "--schedule_at",
        "2040-04-07 10:30:00",
        stdout=StringIO(),
    )
    job = Job.objects.get()
    assert job.status == Status.PENDING
    assert str(job.scheduled_at) == "2040-04-07 10:30:00+00:00"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--type=nothing"], "There is no job type"),
        (["--type=noop", "--schedule_at=2025-04-07 10:30:00"], "has passed"),
        (["--type=noop", "--schedule_at=soon"], "no time"),
        (["--type=noop", "--priority=11"], "from 0 to 10"),
        (["--type=noop", "--max_retries=-1"], "from 0 to 100"),
        (["--type=noop", "--parameters=[]"], "JSON object"),
        (["--type=noop", "--parameters={"], "not JSON"),
        (["--type=hold"], "folder"),
    ],
)
def test_create_job_refuses_in_words(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("create_job", "x", *arguments, stdout=StringIO())
    assert not Job.objects.exists()
