"""What the client makes of a service in trouble, and of one that is none."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from mediaproc.client import (
    ApiError,
    BadRequest,
    Client,
    Conflict,
    Forbidden,
    Job,
    NotAuthenticated,
    NotFound,
    ServerError,
    TooManyRequests,
    Unreachable,
    WaitTimedOut,
)
from mediaproc.client.__main__ import main
from tests.integration.client.scripted import PROBLEM, Answer, serving
from tests.service import free_port

JOB = {
    "id": "0198",
    "job_type": "noop",
    "status": "QUEUED",
    "priority": 5,
    "source_file": "a.mp4",
    "target_format": "webm",
    "created_at": "2026-01-31T08:30:00Z",
    "member_of_a_later_release": 1,
}
LOST = Answer(0)


def refusal(
    status: int, code: str = "x", headers: dict[str, str] | None = None, **more: Any
) -> Answer:
    return Answer(status, {"code": code, "detail": "No.", **more}, {**PROBLEM, **(headers or {})})


@pytest.mark.parametrize(
    "trouble",
    [
        [LOST, LOST],
        [Answer(502, b"<html>", {"Content-Type": "text/html"})],
        [refusal(503, "database_unavailable", {"Retry-After": "0"})],
        [refusal(409, "idempotency_key_in_use")],
    ],
)
def test_a_submission_is_repeated_with_the_same_key(trouble: list[Answer]) -> None:
    with serving(*trouble, Answer(201, JOB)) as script, Client(script.url, "abc") as client:
        job = client.submit("a.mp4", "webm")
    assert (job.id, job.created_at.isoformat()) == ("0198", "2026-01-31T08:30:00+00:00")
    assert len(script.asked) == len(trouble) + 1
    assert {(each.method, each.path) for each in script.asked} == {("POST", "/api/v1/jobs")}
    [key] = {each.headers["idempotency-key"] for each in script.asked}
    assert key[0] == key[-1] == '"'
    assert len(key) > 20
    assert {each.body for each in script.asked} == {
        b'{"source_file":"a.mp4","target_format":"webm"}'
    }
    assert {each.headers["authorization"] for each in script.asked} == {"Token abc"}


def test_two_submissions_have_two_keys_unless_they_are_given_one() -> None:
    with serving(Answer(201, JOB)) as script, Client(script.url) as client:
        for key in (None, None, "mine", "mine"):
            client.submit("a.mp4", "webm", idempotency_key=key)
        with pytest.raises(ValueError, match="printable"):
            client.submit("a.mp4", "webm", idempotency_key="a\nb")
    first, second, *own = [each.headers["idempotency-key"] for each in script.asked]
    assert first != second
    assert own == ['"mine"', '"mine"']


def test_retry_after_is_waited_for_and_not_longer_than_patience() -> None:
    limited = refusal(429, "too_many_requests", {"Retry-After": "1"})
    with serving(limited, Answer(200, JOB)) as script, Client(script.url) as client:
        began = time.monotonic()
        client.get("0198")
        assert 1 <= time.monotonic() - began < 30
    hour = refusal(429, "too_many_requests", {"Retry-After": "3600"})
    with serving(hour) as script, Client(script.url) as client:
        with pytest.raises(TooManyRequests) as caught:
            client.get("0198")
        assert caught.value.retry_after == 3600
        assert len(script.asked) == 1


def test_what_would_be_done_twice_is_not_repeated() -> None:
    with serving(LOST) as script, Client(script.url) as client:
        with pytest.raises(Unreachable):
            client.remove("0198")
        assert len(script.asked) == 1
    with serving(refusal(503)) as script, Client(script.url) as client:
        with pytest.raises(ServerError):
            client.remove("0198")
        assert len(script.asked) == 1


def test_nobody_there() -> None:
    with (
        Client(f"http://127.0.0.1:{free_port()}", patience=0.5) as client,
        pytest.raises(Unreachable, match="does not answer"),
    ):
        client.get("0198")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest), (401, NotAuthenticated), (403, Forbidden), (404, NotFound),
        (409, Conflict), (410, NotFound), (413, BadRequest), (422, BadRequest), (500, ServerError),
    ],
)  # fmt: skip
def test_refusals_are_exceptions(status: int, kind: type[ApiError]) -> None:
    errors = [{"field": "priority", "code": "out_of_range", "detail": "Too high."}]
    answer = refusal(status, "some_code", {"X-Request-ID": "r-1"}, errors=errors)
    with serving(answer) as script, Client(script.url) as client:
        with pytest.raises(kind) as caught:
            client.get("0198")
        assert len(script.asked) == 1
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.detail) == (status, "some_code", "No.")
    assert [(each.field, each.code) for each in error.errors] == [("priority", "out_of_range")]
    assert error.request_id == "r-1"
    assert str(error) == f"{status} some_code: No. priority: Too high."


def test_what_is_not_this_service() -> None:
    moved = Answer(301, b"", {"Location": "https://example.org/"})
    with serving(moved) as script, Client(script.url) as client:
        with pytest.raises(ApiError, match="301: Moved Permanently, to https://example"):
            client.get("0198")
        assert len(script.asked) == 1
    page = Answer(200, b"<html>", {"Content-Type": "text/html"})
    with (
        serving(page) as script,
        Client(script.url) as client,
        pytest.raises(Unreachable, match="is not this service"),
    ):
        client.get("0198")
    with pytest.raises(ValueError, match="no http:// or https:// address"):
        Client("localhost:8000")
    with pytest.raises(ValueError, match="letters, digits") as caught:
        Client("http://localhost", "s3cret\n")
    assert "s3cret" not in str(caught.value)


def test_pages_are_followed_on_this_service_alone() -> None:
    first = {"results": [JOB, JOB], "next": "http://evil.example/api/v1/jobs?status=A%26B&cursor=c"}
    with (
        serving(Answer(200, first), Answer(200, {"results": [JOB], "next": None})) as script,
        Client(script.url, "abc") as client,
    ):
        assert len(list(client.list(status="A&B", limit=2))) == 3
    assert [each.path for each in script.asked] == [
        "/api/v1/jobs?status=A%26B&limit=2",
        "/api/v1/jobs?status=A%26B&cursor=c",
    ]


def test_an_id_is_one_part_of_the_path() -> None:
    with serving(refusal(404)) as script, Client(script.url) as client, pytest.raises(NotFound):
        client.get("../schedules?x#y")
    assert script.asked[0].path == "/api/v1/jobs/..%2Fschedules%3Fx%23y"


def test_waiting_asks_with_the_etag_and_tells_of_changes_only() -> None:
    def state(etag: str, **changes: Any) -> Answer:
        return Answer(200, {**JOB, **changes}, {"ETag": etag})

    same = Answer(304)
    told: list[Job] = []
    with (
        serving(
            state('"1"'), same, same, state('"2"', status="IN_PROGRESS", progress=0.5), same, LOST,
            state('"3"', status="COMPLETED", progress=1.0),
        ) as script,
        Client(script.url) as client,
    ):  # fmt: skip
        final = client.wait("0198", on_progress=told.append)
    assert final.status == "COMPLETED"
    assert [(job.status, job.progress) for job in told] == [
        ("QUEUED", None), ("IN_PROGRESS", 0.5), ("COMPLETED", 1.0),
    ]  # fmt: skip
    assert [each.headers.get("if-none-match") for each in script.asked] == [
        None, '"1"', '"1"', '"1"', '"2"', '"2"', '"2"',
    ]  # fmt: skip


def test_waiting_ends_in_time() -> None:
    with serving(Answer(200, JOB)) as script, Client(script.url) as client:
        began = time.monotonic()
        with pytest.raises(WaitTimedOut) as caught:
            client.wait("0198", timeout=0.5)
        assert 0.5 <= time.monotonic() - began < 30
    assert caught.value.job.status == "QUEUED"
    with serving(Answer(200, JOB), LOST) as script, Client(script.url) as client:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            client.wait("0198", timeout=0.5)
        assert time.monotonic() - began < 30


def test_a_cancellation_whose_answer_was_lost() -> None:
    again = refusal(409, "already_final", job_status="CANCELLED")
    cancelled = Answer(200, {**JOB, "status": "CANCELLED"})
    with serving(LOST, again, cancelled) as script, Client(script.url) as client:
        assert client.cancel("0198").status == "CANCELLED"
    completed = refusal(409, "already_final", job_status="COMPLETED")
    with (
        serving(completed) as script,
        Client(script.url) as client,
        pytest.raises(Conflict) as caught,
    ):
        client.cancel("0198")
    assert caught.value.job_status == "COMPLETED"


FILM = bytes(range(256)) * 5000


def part(start: int, cut: int = 0) -> Answer:
    return Answer(206, FILM[start:], {"ETag": '"v1"'}, cut=cut)


def whole(cut: int = 0, etag: str = '"v1"', body: bytes = FILM) -> Answer:
    name = {"Content-Disposition": 'attachment; filename="../film.webm"'}
    return Answer(200, body, {"ETag": etag, **name}, cut=cut)


def test_a_download_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    with (
        serving(whole(cut=1_000_000), part(280_000, cut=500_000), part(780_000)) as script,
        Client(script.url) as client,
    ):
        saved = client.output("0198", tmp_path)
    assert saved == tmp_path / "film.webm"
    assert saved.read_bytes() == FILM
    assert [path.name for path in tmp_path.iterdir()] == ["film.webm"]
    ranges = [(each.headers.get("range"), each.headers.get("if-range")) for each in script.asked]
    assert ranges == [(None, None), ("bytes=280000-", '"v1"'), ("bytes=780000-", '"v1"')]


def test_a_download_goes_on_in_a_later_call(tmp_path: Path) -> None:
    target = tmp_path / "mine.webm"
    with (
        serving(whole(cut=1_000_000), LOST) as script,
        Client(script.url, patience=0) as client,
        pytest.raises(Unreachable),
    ):
        client.output("0198", target)
    assert not target.exists()
    with serving(whole(), part(280_000)) as script, Client(script.url) as client:
        assert client.output("0198", target).read_bytes() == FILM
    assert script.asked[1].headers["range"] == "bytes=280000-"


def test_a_download_of_what_has_changed_begins_anew(tmp_path: Path) -> None:
    other = b"other" * 1000
    with (
        serving(whole(cut=1_000_000), whole(etag='"v2"', body=other)) as script,
        Client(script.url) as client,
    ):
        assert client.output("0198", tmp_path / "film.webm").read_bytes() == other
    assert script.asked[1].headers["if-range"] == '"v1"'


def test_the_login_command_asks_for_a_code_where_one_is_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["a passphrase", " 123456\n"]
    monkeypatch.setattr("getpass.getpass", lambda *_: typed.pop(0))
    answers = (refusal(401, "otp_required"), Answer(200, {"token": "mp_abc"}))
    with serving(*answers) as script:
        assert main(["--url", script.url, "login", "alice"]) == 0
    assert capsys.readouterr().out == "mp_abc\n"
    known = {"username": "alice", "password": "a passphrase"}
    assert [json.loads(one.body) for one in script.asked] == [known, {**known, "otp": "123456"}]
    typed = ["a passphrase"]
    with serving(refusal(401, "wrong_credentials")) as script:
        assert main(["--url", script.url, "login", "alice"]) == 2
    assert len(script.asked) == 1
