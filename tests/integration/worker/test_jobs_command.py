"""`manage.py jobs` with real workers, and as a process on a terminal and in a pipe."""

import json
import os
import pty
import signal
import subprocess
import sys
import termios
from io import StringIO
from pathlib import Path

import pytest
from django.core.management.base import OutputWrapper

from jobs.console import tail as tailing
from jobs.console.output import Output
from jobs.console.tail import tail
from jobs.models import Job
from jobs.queue.finish import finish
from jobs.queue.pause import pause
from jobs.queue.selection import EVERYTHING, Selection
from jobs.queue.submit import NewJob, submit, submit_many
from jobs.states import Status
from tests.commands import said, told
from tests.rows import claim_one, finished, new_job
from tests.waiting import wait_until
from tests.workers import PROJECT, Workers, database_url, environment_of, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

COMMAND = [sys.executable, "manage.py", "jobs"]


def holding(folder: Path) -> Job:
    return submit(NewJob("hold", parameters={"folder": str(folder)}))


def test_a_running_job_is_cancelled_and_retried(workers: Workers, tmp_path: Path) -> None:
    workers.start()
    job = holding(tmp_path)
    wait_until(lambda: told("show", str(job.id))["progress"] == 0.5, "it runs")
    assert "50%" in said("show", str(job.id))

    [result] = told("cancel", str(job.id))
    assert result["status"] == Status.IN_PROGRESS
    assert "told to stop" in result["detail"]
    assert wait_final(job.id)[0].status == Status.CANCELLED

    (tmp_path / "release").touch()
    assert said("retry", "--status", "cancelled") == "1 job: queued again.\n"
    assert wait_final(job.id)[0].status == Status.COMPLETED
    kinds = [event["kind"] for event in told("show", str(job.id))["events"]]
    assert {"cancel_requested", "cancelled", "retried", "completed"} <= set(kinds)


def test_a_drained_worker_ends_and_a_paused_pool_waits(workers: Workers) -> None:
    pause("low")
    worker = workers.start()
    job = new_job()
    [row] = told("workers")
    assert (row["pools"], row["state"]) == ({"high": 4, "low": 2}, "works")
    assert Job.objects.get().status == Status.QUEUED
    said("resume", "low")
    wait_final(job.id)

    said("drain", row["name"])

    assert worker.wait() == 0
    wait_until(lambda: told("workers") == [], "its row goes")


def test_tail_follows_a_job_to_its_end(workers: Workers) -> None:
    workers.start("--queue", "low")
    stream = StringIO()
    ids: list[str] = []

    def ended() -> bool:
        if not ids:
            ids.append(str(new_job().id))
        return Status.COMPLETED in stream.getvalue()

    tail(Output(OutputWrapper(stream), as_json=True), EVERYTHING, until=ended)

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {line["id"] for line in lines} == set(ids)
    assert lines[-1]["status"] == Status.COMPLETED
    assert len(lines) == len({(line["status"], line["progress"]) for line in lines})


def test_tail_shows_of_a_job_only_the_status_that_was_asked_for() -> None:
    new_job()
    running = claim_one()
    stream = StringIO()
    looks = iter(range(1000))

    def ended() -> bool:
        if next(looks) == 1:  # it was seen running
            finish([finished(running)])
        return bool(stream.getvalue())

    tail(
        Output(OutputWrapper(stream), as_json=True), Selection(status=Status.COMPLETED), until=ended
    )

    [line] = stream.getvalue().splitlines()
    assert json.loads(line)["status"] == Status.COMPLETED


def test_tail_sees_what_runs_amid_more_waiting_jobs_than_it_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tailing, "MOST", 3)
    stream = StringIO()
    amid: list[str] = []

    def runs() -> bool:
        if not amid:
            jobs = [NewJob("noop", priority=9 if place == 5 else 5) for place in range(10)]
            amid.append(str(submit_many(jobs)[5]))
            assert str(claim_one().job_id) == amid[0]
        return Status.IN_PROGRESS in stream.getvalue()

    tail(Output(OutputWrapper(stream), as_json=True), EVERYTHING, until=runs)

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["id"] for line in lines if line["status"] == Status.IN_PROGRESS] == amid
    assert len(lines) == len({line["id"] for line in lines}) == 1 + tailing.MOST


def following() -> "subprocess.Popen[bytes]":
    """`jobs tail`, which has told of what runs."""
    new_job()
    claim_one()
    process = subprocess.Popen(
        [*COMMAND, "tail"],
        cwd=PROJECT,
        env=environment_of(database_url()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert b"IN_PROGRESS" in process.stdout.readline()
    return process


def test_ctrl_c_ends_tail_without_a_traceback() -> None:
    with following() as process:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (errors, process.returncode) == (b"", 0)


def test_a_reader_that_has_enough_is_no_error() -> None:
    with following() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        new_job()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_without_a_database_it_says_so_in_one_line() -> None:
    done = subprocess.run(
        [*COMMAND, "list"],
        cwd=PROJECT,
        env=environment_of("postgres://nobody@127.0.0.1:1/none"),
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The database does not answer: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_on_a_terminal_of_80_columns(variables: dict[str, str], coloured: bool) -> None:
    job = new_job(name="n" * 90)
    text = on_terminal([*COMMAND, "list"], {"TERM": "xterm", **variables})
    assert ("\x1b" in text) == coloured
    if not coloured:
        header, row = text.splitlines()
        assert header.split() == ["id", "status", "type", "pri", "done", "age"]
        assert row.startswith(f"{job.id}  QUEUED")
        assert max(len(header), len(row)) <= 80


def on_terminal(command: list[str], variables: dict[str, str]) -> str:
    """What it writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    environment = environment_of(database_url())
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        environment.pop(name, None)
    done = subprocess.run(
        command, cwd=PROJECT, env=environment | variables, stdout=theirs, check=True, timeout=60
    )
    assert done.returncode == 0
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        return terminal.read(65_536).decode()
