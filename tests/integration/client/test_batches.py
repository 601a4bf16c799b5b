"""Many jobs at once, in all the ways that the service answers."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mediaproc.client import Batch, Client, Job, JobNotCompleted, NothingSubmitted
from tests.integration.client.scripted import PROBLEM, Answer, serving
from tests.integration.client.test_trouble import JOB, LOST

REPORT: dict[str, Any] = {"accepted": 2, "rejected": 0, "total": 2, "errors": []}
ERROR = {"row": 2, "line": None, "field": "priority", "code": "out_of_range", "detail": "Too high."}
REFUSED = {"accepted": 0, "rejected": 1, "total": 2, "errors": [ERROR]}
LATER = Answer(202, {"batch": "7", "links": {"job": "/api/v1/jobs/7"}})


def importing(status: str, result: Any = None) -> Answer:
    return Answer(200, {**JOB, "id": "7", "status": status, "result": result})


def test_a_small_batch_is_answered_at_once_and_repeated_as_one() -> None:
    at = datetime(2030, 1, 31, tzinfo=UTC)
    with (
        serving(LOST, Answer(201, {"batch": "7", **REPORT})) as script,
        Client(script.url) as client,
    ):
        jobs: list[dict[str, Any]] = [{"job_type": "noop"}, {"name": "2", "scheduled_at": at}]
        assert client.batches.submit(jobs) == Batch("7", accepted=2, rejected=0, total=2)
    assert [each.path for each in script.asked] == ["/api/v1/jobs/batch"] * 2
    assert len({each.headers["idempotency-key"] for each in script.asked}) == 1
    assert json.loads(script.asked[0].body) == [
        {"job_type": "noop"},
        {"name": "2", "scheduled_at": "2030-01-31T00:00:00+00:00"},
    ]


def test_a_table_is_sent_as_it_is(tmp_path: Path) -> None:
    table = tmp_path / "jobs.csv"
    table.write_bytes(b"source_file,target_format\r\n\xc3\xa4.mp4,webm\r\n")
    with serving(Answer(201, {"batch": "7", **REPORT})) as script, Client(script.url) as client:
        client.batches.submit_table(table, partial=True)
    [asked] = script.asked
    assert (asked.path, asked.body) == ("/api/v1/jobs/batch?partial=true", table.read_bytes())
    assert asked.headers["content-type"] == "text/csv"


@pytest.mark.parametrize(
    "answers",
    [
        [Answer(400, {"code": "invalid_rows", "detail": "x", **REFUSED}, PROBLEM)],
        [LATER, importing("QUEUED"), importing("COMPLETED", REFUSED)],
    ],
)
def test_nothing_is_submitted_because_of_a_row(answers: list[Answer]) -> None:
    with (
        serving(*answers) as script,
        Client(script.url) as client,
        pytest.raises(NothingSubmitted) as caught,
    ):
        client.batches.submit([{"job_type": "noop"}, {"priority": 99}])
    assert caught.value.batch.errors == [ERROR]
    assert str(caught.value) == "1 of 2 rows are not valid: row 2, priority: Too high."


def test_a_large_batch_is_waited_for() -> None:
    told: list[Job] = []
    with (
        serving(LATER, importing("IN_PROGRESS"), importing("COMPLETED", REPORT)) as script,
        Client(script.url) as client,
    ):
        made = client.batches.submit([{"job_type": "noop"}] * 2, on_progress=told.append)
    assert made == Batch("7", accepted=2, rejected=0, total=2)
    assert [job.status for job in told] == ["IN_PROGRESS", "COMPLETED"]
    with serving(LATER, importing("CANCELLED")) as script, Client(script.url) as client:
        with pytest.raises(JobNotCompleted):
            client.batches.submit([{"job_type": "noop"}])
        script.answers = [Answer(200, {"batch": "7", "cancelled": 3})]
        assert client.batches.cancel(made) == 3
    assert script.asked[-1].path == "/api/v1/jobs/batch/7/cancel"
