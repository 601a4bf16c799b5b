"""`manage.py jobs`: what operators see, what they change, and what is refused."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from jobs.console.looking import LISTED, SHOWN
from jobs.models import Job, JobEvent, PausedPool, WorkerProcess
from jobs.outcomes import Failed
from jobs.queue.finish import finish
from jobs.queue.pause import paused
from jobs.states import Status
from tests.commands import said, told
from tests.rows import claim_one, finished, job_in, new_job

pytestmark = pytest.mark.django_db

EVIL = "[red]Film[/red]\x1b[31m\nnext\u202e"


def failed_job(message: str = "broken", traceback: str = "at line 7") -> Job:
    job = new_job(max_attempts=1, name=EVIL)
    finish([finished(claim_one(), Failed(message, code="bad", traceback=traceback))])
    return job


def test_the_list_shows_ids_whole_and_names_as_they_are() -> None:
    job = failed_job()
    header, row = said("list").splitlines()
    assert header.split()[:4] == ["id", "status", "type", "pri"]
    assert row.startswith(f"{job.id}  FAILED")
    assert "[red]Film[/red]?[31m next?" in row
    assert row == row.rstrip()
    assert said("list", "--status", "QUEUED") == "Nothing.\n"


def test_the_list_for_machines() -> None:
    job = failed_job()
    [listed] = told("list", "--status", "failed", "--code", "bad", "--priority", "default")
    assert list(listed) == [column.key for column in LISTED]
    assert (listed["id"], listed["name"]) == (str(job.id), EVIL)
    assert told("list", "--status", "QUEUED") == []
    assert len(told("list", "--since", "2020-01-01 10:00:00")) == 1
    assert told("list", "--until", "2020-01-01T10:00:00Z") == []


def test_the_newest_are_listed_first_up_to_a_limit() -> None:
    ids = [str(new_job().id) for _ in range(3)]
    assert [job["id"] for job in told("list", "--limit", "2")] == ids[:0:-1]


def test_one_job_is_shown_with_attempts_events_and_traceback() -> None:
    job = failed_job("cannot\nread \x1b[2J it", "  at line 7\n  \x1b[31mred")
    text = said("show", str(job.id))
    assert "\x1b" not in text
    assert "cannot\nread ?[2J it\n  at line 7\n  ?[31mred" in text
    assert "s ago)" in text
    shown = told("show", str(job.id))
    assert set(shown) == {column.key for column in SHOWN} | {"attempts", "events"}
    assert shown["error_message"] == "cannot\nread \x1b[2J it"
    [attempt] = shown["attempts"]
    assert (attempt["outcome"], attempt["traceback"]) == ("failed", "  at line 7\n  \x1b[31mred")
    assert [event["kind"] for event in shown["events"]] == [
        "created", "queued", "attempt_started", "attempt_ended", "failed",
    ]  # fmt: skip


@pytest.mark.parametrize("status", list(Status))
def test_a_job_is_shown_in_every_state(status: Status) -> None:
    job = job_in(status)
    assert str(job.id) in said("show", str(job.id))
    assert told("show", str(job.id))["status"] == status


def test_progress_is_in_percent() -> None:
    job = job_in(Status.IN_PROGRESS)
    Job.objects.update(progress=0.456, parameters={"width": 640})
    assert " 46% " in said("list")
    assert "width 640" in said("show", str(job.id))
    assert told("list")[0]["progress"] == 0.456


def test_reasons() -> None:
    failed_job()
    [reason] = told("reasons")
    assert (reason["jobs"], reason["error_code"], reason["example"]) == (1, "bad", "broken")
    assert set(reason) == {"jobs", "job_type", "error_code", "newest_at", "example", "example_id"}
    assert "broken" in said("reasons")


def test_statistics() -> None:
    failed_job()
    document = told("stats", "--hours", "1")
    assert set(document) == {
        "counts", "since", "up_to", "overall", "by_pool", "by_type", "oldest_waiting",
    }  # fmt: skip
    assert document["counts"]["FAILED"] == {"jobs": 1, "exactness": "exact"}
    assert document["by_type"]["noop"]["ended"]["FAILED"] == 1
    text = said("stats")
    assert "type noop" in text
    assert "pool low" in text


def test_jobs_are_changed_and_by_whom() -> None:
    job = failed_job()
    assert told("retry", str(job.id)) == [
        {"id": str(job.id), "done": True, "status": "QUEUED", "detail": "QUEUED again"}
    ]
    assert "command line" in JobEvent.objects.get().actor
    assert said("cancel", str(job.id)).endswith("CANCELLED\n")
    [result] = told("replay", str(job.id))
    assert Job.objects.get(id=result["new_id"]).replay_of == job.id


def test_many_are_changed_by_a_filter() -> None:
    for _ in range(3):
        failed_job()
    assert told("retry", "--status", "FAILED") == {"action": "retry", "jobs": 3}
    assert said("cancel", "--type", "noop") == "3 jobs: cancelled, or told to stop.\n"
    assert set(Job.objects.values_list("status", flat=True)) == {"CANCELLED"}
    assert said("replay", "--code", "bad") == "No job: only a final job can be replayed.\n"


def test_what_refuses_does_not_stop_the_others() -> None:
    first, second = failed_job(), new_job()
    stream = StringIO()
    with pytest.raises(CommandError, match="refused for 2 of 3 jobs") as refused:
        call_command("jobs", "retry", str(second.id), str(uuid4()), str(first.id), stdout=stream)
    assert refused.value.returncode == 1
    assert "only a FAILED or CANCELLED job can be retried" in stream.getvalue()
    first.refresh_from_db()
    assert first.status == Status.QUEUED


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        (["retry"], "either ids or a selection", 2),
        (["cancel", str(uuid4()), "--status", "QUEUED"], "either ids or a selection", 2),
        (["show", str(uuid4())], "There is no job", 1),
        (["pause", "nope"], "Known pools: high, low", 1),
        (["resume", "nope"], "Known pools: high, low", 1),
        (["drain", "nobody:1"], "Known workers: none", 1),
    ],
)
def test_what_is_refused(arguments: list[str], message: str, status: int) -> None:
    with pytest.raises(CommandError, match=message) as refused:
        said(*arguments)
    assert refused.value.returncode == status


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "7"], "not a job id"),
        (["list", "--limit", "0"], "from 1 to"),
        (["list", "--limit", "9" * 5000], "from 1 to"),
        (["list", "--priority", "12"], "from 0 to 10"),
        (["list", "--since", "soon"], "no time"),
        (["list", "--status", "DONE"], "known: PENDING"),
        (["list", "--type", "\udcff"], "not UTF-8"),
        (["stats", "--hours", "nan"], "give hours"),
        (["stats", "--hours", "1e300"], "give hours"),
        (["stats", "--hours", "-1"], "give hours"),
        (["pause", "low", "--reason", "x" * 201], "at most 200"),
    ],
)
def test_what_makes_no_sense(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        said(*arguments)


def test_pools_are_paused_and_resumed() -> None:
    assert told("pause", "low", "--reason", "disk full") == {"pool": "low", "paused": True}
    assert paused()["low"].reason == "disk full"
    assert "disk full" in said("pools")
    assert told("resume", "low") == {"pool": "low", "paused": False}
    assert not paused()
    assert "was not paused" in said("resume", "low")


def test_a_paused_pool_that_is_gone_is_shown_and_can_be_resumed() -> None:
    PausedPool.objects.create(name="bulk", reason="moved")
    assert told("pools")[-1]["pool"] == "bulk"
    assert "served again" in said("resume", "bulk")


def test_a_worker_that_is_not_heard_of_is_missing() -> None:
    WorkerProcess.objects.create(name="a:1", version="1", pools={"low": 2})
    assert told("workers")[0]["state"] == "works"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE jobs_workerprocess SET seen_at = seen_at - interval '1 hour'")
    assert told("workers")[0]["state"] == "missing"
    assert "low 2" in said("workers")
