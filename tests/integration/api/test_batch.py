"""Many jobs at once: POST jobs/batch with JSON and CSV, also such as nobody should send."""

import io
import json
import signal
import tracemalloc
from datetime import timedelta
from itertools import chain, repeat
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from jobs.api import batch, batch_items
from jobs.api.batch_body import PIECE
from jobs.api.batch_import import JOB_TYPE
from jobs.api.batch_rows import csv_rows, json_rows
from jobs.models import BatchPart, IdempotencyKey, Job, SubmissionCount
from jobs.queue import batches
from jobs.queue.limits import owner_key
from jobs.queue.submit import NewJob, submit
from tests.integration.api.asking import assert_headers, errors_of, problem_of, refused, send
from tests.waiting import wait_until
from tests.workers import Workers, wait_final

BATCH = "/api/v1/jobs/batch"
HEADER = b"source_file,target_format,priority,metadata\n"


class Lines(io.RawIOBase):
    """A body of so many rows that is nowhere as a whole: `size` bytes."""

    def __init__(self, begin: bytes, row: bytes, between: bytes, rows: int, end: bytes) -> None:
        self._more = chain([begin, row], repeat(between + row, rows - 1), [end])
        self._left = b""
        self.size = len(begin) + rows * len(row) + (rows - 1) * len(between) + len(end)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while len(self._left) < len(buffer) and (more := next(self._more, b"")):
            self._left += more
        taken, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def csv(api: Client, body: bytes, query: str = "", content_type: str = "text/csv") -> Any:
    """Send a table."""
    return api.generic("POST", f"{BATCH}{query}", body, content_type)


def table(rows: int) -> bytes:
    """So many jobs."""
    return HEADER + b"".join(b"v%d.mp4,avi,high,\n" % number for number in range(rows))


ROW = {"source_file": "a.mp4", "target_format": "avi", "metadata": {"note": "x" * 500}}
AS_JSON = json.dumps(ROW).encode()
AS_CSV = b'a.mp4,avi,high,"{""note"": ""' + b"x" * 500 + b'""}"\n'


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("media_type", "form"),
    [("application/json", (b"[", AS_JSON, b",")), ("text/csv", (HEADER, AS_CSV, b""))],
)
def test_ten_times_the_body_takes_no_more_memory(
    api: Client, settings: Settings, media_type: str, form: tuple[bytes, bytes, bytes]
) -> None:
    """Neither where it comes in nor where it is read: in the end as much as BATCH_MAX_MB allows."""
    end = b"]" if media_type == "application/json" else b""

    def peak(rows: int) -> int:
        body = Lines(*form, rows, end)
        assert body.size < settings.BATCH_MAX_MB * PIECE
        sent = {"CONTENT_TYPE": media_type, "CONTENT_LENGTH": str(body.size)}
        tracemalloc.start()
        try:
            answer = api.request(
                REQUEST_METHOD="POST",
                PATH_INFO=BATCH,
                **sent,
                **{"wsgi.input": io.BufferedReader(body)},
            )
            assert answer.status_code == 202, answer.content
            batch = UUID(answer.json()["batch"])
            read = csv_rows if media_type == "text/csv" else json_rows
            assert sum(1 for _ in read(batches.kept(batch))) == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few = peak(5_000)
    assert few > PIECE
    assert peak(50_000) < 1.5 * few


@pytest.mark.django_db
def test_a_table_becomes_jobs(api: Client) -> None:
    body = HEADER + b'a.mp4,avi,high,"{""of"": ""spring""}"\r\n\nb.mp4,webm,3,\n'
    response = csv(api, b"\xef\xbb\xbf" + body)

    assert response.status_code == 201, response.content
    assert_headers(response)
    told = response.json()
    assert {name: told[name] for name in ("accepted", "rejected", "total", "errors")} == {
        "accepted": 2,
        "rejected": 0,
        "total": 2,
        "errors": [],
    }
    first, second = Job.objects.order_by("id")
    assert (first.source_file, first.priority, first.metadata) == ("a.mp4", 10, {"of": "spring"})
    assert (second.source_file, second.priority, second.metadata) == ("b.mp4", 3, None)
    assert {str(first.parent_id), str(second.parent_id)} == {told["batch"]}
    listed = send(api, "GET", response["Location"]).json()
    assert [job["id"] for job in listed["results"]] == [str(second.id), str(first.id)]

    cancelled = send(api, "POST", told["links"]["cancel"])
    assert cancelled.json() == {"batch": told["batch"], "cancelled": 2}
    assert set(Job.objects.values_list("status", flat=True)) == {"CANCELLED"}
    for unknown in (UUID(int=0), "x"):
        problem_of(send(api, "POST", f"{BATCH}/{unknown}/cancel"), 404, "not_found")


@pytest.mark.django_db
def test_an_array_becomes_jobs_in_utf_16_a_table_too(api: Client) -> None:
    one = {"source_file": "é.mp4", "target_format": "avi", "parameters": {"failure_rate": 0.5}}
    assert send(api, "POST", BATCH, [one, one]).json()["accepted"] == 2
    assert csv(api, "source_file,target_format\né.mp4,avi\n".encode("utf-16")).status_code == 201
    assert [job.source_file for job in Job.objects.all()] == ["é.mp4"] * 3


@pytest.mark.django_db
def test_all_or_nothing_or_what_is_valid(api: Client) -> None:
    body = HEADER + b"a.mp4,avi,high,\nb.mp4,xyz,high,\n../c,avi,99,\nd.mp4,avi\ne.mp4,avi,,{\n"
    wrong = [
        (2, 3, "target_format", "unknown_format"),
        (3, 4, "priority", "out_of_range"),
        (4, 5, None, "ragged_row"),
        (5, 6, "metadata", "malformed_json"),
    ]
    told = refused(csv(api, body), 400, "invalid_rows")
    assert (told["accepted"], told["rejected"], told["total"]) == (0, 4, 5)
    assert [tuple(list(error.values())[:4]) for error in told["errors"]] == wrong

    told = csv(api, body, "?partial=true").json()
    assert (told["accepted"], told["rejected"], told["total"]) == (1, 4, 5)
    assert [tuple(list(error.values())[:4]) for error in told["errors"]] == wrong
    assert Job.objects.count() == 1

    many = csv(api, HEADER + b"a,xyz,,\n" * 150, "?partial=true").json()
    assert (many["rejected"], len(many["errors"]), many["errors_truncated"]) == (150, 100, True)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"source_file;target_format\na.mp4;avi\n", "bad_header"),
        (b"source_file,owner\na.mp4,1\n", "bad_header"),
        (b"source_file,source_file\na.mp4,b.mp4\n", "bad_header"),
        (b"\n", "bad_header"),
        (b"source_file," * 5_000 + b"\n", "bad_header"),
        (b"source_file," * 50_000 + b"\n", "line_too_long"),
        (HEADER + b'"a.mp4,avi,,\n', "malformed_csv"),
        (HEADER + b'"a"b,avi,,\n', "malformed_csv"),
        (HEADER + b"a" * 20_000 + b",avi,,\n", "malformed_csv"),
        (HEADER + b"a\0.mp4,avi,,\n", "bad_character"),
        ("source_file,target_format\na,avi\n".encode("utf-16-le"), "bad_character"),
        (HEADER + b"a\xff.mp4,avi,,\n", "bad_encoding"),
        (b"", "empty"),
    ],
)
@pytest.mark.django_db
def test_what_is_no_table_is_refused_whole(api: Client, body: bytes, code: str) -> None:
    told = refused(csv(api, body, "?partial=true"), 400, code)
    if code == "bad_encoding":
        assert f"byte at {len(HEADER) + 1} " in told["detail"]


@pytest.mark.parametrize(
    "cells",
    [
        b'"a\nb",avi,high,',
        b"=cmd|' /C calc'!A0,xyz,,",
        b"a.mp4,avi,1_0,",
        b"a.mp4,avi,\xef\xbc\x91,",
        b'a.mp4,avi,,"{""a"": ""\\u0000""}"',
        b'a.mp4,avi,,"{""a"": 1, ""a"": 2}"',
        b'a.mp4,avi,,"[1]"',
        b'a.mp4,avi,,"' + b"[" * 5_000 + b'"',
        b"a.mp4,avi,,NaN",
    ],
)
@pytest.mark.django_db
def test_hostile_cells_are_a_row_s_error_or_a_plain_name(api: Client, cells: bytes) -> None:
    response = csv(api, HEADER + cells + b"\nb.mp4,avi,,\n", "?partial=true")
    assert response.status_code == 201
    told = response.json()
    assert told["accepted"] + told["rejected"] == 2
    assert Job.objects.filter(source_file="b.mp4").exists()
    if cells.startswith(b'"a'):
        assert Job.objects.filter(source_file="a\nb").exists()
    else:
        assert told["errors"][0]["row"] == 1


@pytest.mark.django_db
def test_numbers_in_cells_are_finite(api: Client) -> None:
    for value in (b"nan", b"inf", b"1e999", b"-1"):
        body = b"source_file,target_format,soft_limit_seconds\na.mp4,avi," + value + b"\n"
        refused(csv(api, body), 400, "invalid_rows")


@pytest.mark.django_db
def test_what_is_no_array_other_types_and_bad_options(api: Client) -> None:
    refused(send(api, "POST", BATCH, {"source_file": "a"}), 400, "not_a_list")
    refused(send(api, "POST", BATCH, []), 400, "invalid_rows")
    told = refused(send(api, "POST", BATCH, [1, None, "a"]), 400, "invalid_rows")
    assert [error["row"] for error in told["errors"]] == [1, 2, 3]
    refused(csv(api, b"[[1]", content_type="application/json"), 400, "malformed_json")
    refused(csv(api, b"[" * 40 + b"]" * 40, content_type="application/json"), 400, "too_deep")
    refused(csv(api, table(1), content_type="text/plain"), 415, "unsupported_media_type")
    assert errors_of(refused(csv(api, table(1), "?partial=x"), 400, "validation_error")) == {
        ("partial", "invalid")
    }
    refused(csv(api, table(1), "?atomic=1"), 400, "validation_error")
    body = {"job_type": JOB_TYPE, "parameters": {"media_type": "a", "size": 1, "partial": False}}
    assert ("job_type", "unknown_job_type") in errors_of(
        refused(send(api, "POST", "/api/v1/jobs", body), 400, "validation_error")
    )


@pytest.mark.django_db
def test_limits_count_a_batch_whole(
    api: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOBS_PER_MIN_LIMIT = 5
    # What is submitted in the next minute counts together, also across the end of this one.
    SubmissionCount.objects.create(
        throttle_key=owner_key(None), minute=timezone.now() + timedelta(minutes=1), jobs=0
    )
    refused(csv(api, table(6)), 429, "too_many_submissions")
    assert csv(api, table(4)).status_code == 201
    problem_of(csv(api, table(2)), 429, "too_many_submissions")
    assert Job.objects.count() == 4
    settings.JOBS_PER_MIN_LIMIT = 0
    monkeypatch.setattr(batch_items, "MAX_ROWS", 10)
    problem_of(csv(api, table(11)), 400, "too_many_rows")
    settings.BATCH_MAX_MB = 1
    problem_of(csv(api, b"a" * (PIECE + 1)), 413, "body_too_large")
    assert Job.objects.count() == 4


def test_a_large_one_is_made_in_the_background_once(
    api: Client, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker is killed twice: amid the import, and after its commit."""
    monkeypatch.setattr(batch, "SMALL_LINES", 10)
    rows = 20_000
    response = csv(api, table(rows) + b"x.mp4,xyz,,\n", "?partial=true")
    assert response.status_code == 202, response.content
    job_id = UUID(response.json()["batch"])
    assert response["Location"] == f"/api/v1/jobs/{job_id}"
    assert BatchPart.objects.filter(job=job_id).exists()
    items = Job.objects.filter(parent=job_id)

    def begun() -> bool:
        return bool(Job.objects.get(id=job_id).progress_message.endswith("rows"))

    first = workers.start("--queue", "low", SIMULATE_MISSING_SOURCES="True")
    wait_until(begun, "the import is under way")
    first.send(signal.SIGKILL)
    first.wait()
    assert not items.exists()
    Job.objects.filter(id=job_id).update(progress_message="")

    with connection.cursor() as cursor:  # so that the import is committed and never settled
        cursor.execute("ALTER TABLE jobs_jobmetrics RENAME TO hidden")
    try:
        second = workers.start("--queue", "low", SIMULATE_MISSING_SOURCES="True")
        wait_until(items.exists, "the jobs are there")
        second.send(signal.SIGKILL)
        second.wait()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE hidden RENAME TO jobs_jobmetrics")
    assert Job.objects.get(id=job_id).status != "COMPLETED"

    Job.objects.filter(parent=job_id).update(priority=9)  # nobody works on them
    workers.start("--queue", "low", SIMULATE_MISSING_SOURCES="True")
    [done] = wait_final(job_id)
    assert (done.status, done.error_message) == ("COMPLETED", "")
    assert done.result is not None
    assert (done.result["accepted"], done.result["rejected"]) == (rows, 1)
    assert items.count() == rows
    assert not BatchPart.objects.exists()


def test_a_background_batch_that_is_cancelled_or_wrong_makes_nothing(
    api: Client, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "SMALL_LINES", 1)
    wrong = UUID(csv(api, table(3) + b"a,xyz,,\n").json()["batch"])
    broken = UUID(csv(api, table(3) + b'"a\n').json()["batch"])
    cancelled = csv(api, table(3)).json()
    assert send(api, "POST", cancelled["links"]["cancel"]).status_code == 200
    without = submit(
        NewJob(JOB_TYPE, parameters={"media_type": "text/csv", "size": 9, "partial": False})
    ).id
    workers.start("--queue", "low", SIMULATE_MISSING_SOURCES="True")
    done = wait_final(wrong, broken, UUID(cancelled["batch"]), without)
    assert [job.status for job in done] == ["COMPLETED", "FAILED", "CANCELLED", "FAILED"]
    assert done[0].result is not None
    assert (done[0].result["accepted"], done[0].result["errors"][0]["row"]) == (0, 4)
    assert (done[1].error_code, done[3].error_code) == ("malformed_csv", "bad_header")
    assert Job.objects.count() == 4
    assert json.dumps(done[0].result)


def test_a_large_array_reports_its_items(
    api: Client, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, larger than what is read at once, with a wrong item in the middle."""
    monkeypatch.setattr(batch, "SMALL_BYTES", 1_000)
    rows = 12_000
    items = [{"source_file": "v.mp4", "target_format": "avi", "name": "x" * 90}] * rows
    wrong = {"source_file": "v.mp4", "target_format": "xyz"}
    body = json.dumps([*items[:7_000], wrong, *items[7_000:]]).encode()
    assert len(body) > PIECE
    response = csv(api, body, "?partial=true", "application/json")
    assert response.status_code == 202, response.content
    job_id = UUID(response.json()["batch"])
    workers.start("--queue", "low", SIMULATE_MISSING_SOURCES="True")
    [done] = wait_final(job_id)
    report = done.result
    assert report is not None
    assert (report["accepted"], report["rejected"], report["total"]) == (rows, 1, rows + 1)
    assert [(one["row"], one["line"], one["code"]) for one in report["errors"]] == [
        (7_001, None, "unknown_format")
    ]
    assert Job.objects.filter(parent=job_id).count() == rows


@pytest.mark.parametrize("small_lines", [10_000, 1])
@pytest.mark.django_db
def test_a_key_makes_one_batch(
    api: Client, monkeypatch: pytest.MonkeyPatch, small_lines: int
) -> None:
    """Whether it is made at once or by a worker."""
    monkeypatch.setattr(batch, "SMALL_LINES", small_lines)

    def sent(body: bytes, query: str = "?partial=true", key: str = "k") -> Any:
        headers = {"Idempotency-Key": key}
        return api.generic("POST", f"{BATCH}{query}", body, "text/csv", headers=headers)

    body = table(3) + b"x.mp4,%s,,\n" % (b"y" * 50) * 500
    first, again = sent(body), sent(body)
    made = Job.objects.count()

    assert first.status_code == (201 if small_lines > 1 else 202)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again["Location"] == first["Location"]
    assert made == (3 if small_lines > 1 else 1)
    assert len(IdempotencyKey.objects.get().body) < 50_000
    for other in (sent(body + b"z.mp4,avi,,\n"), sent(body, "")):
        problem_of(other, 422, "idempotency_key_reused")
    assert Job.objects.count() == made
    assert sent(body, key="other").json()["batch"] != first.json()["batch"]
