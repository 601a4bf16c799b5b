"""The calls of remote workers on a real server, by honest and by hostile ones."""

import base64
import contextlib
import hashlib
import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import httpx
import pytest
from django.core import signing
from pytest_django import Settings

from accounts.scopes import ADMIN, READ, SUBMIT
from jobs.media.transcode import transcode as make
from jobs.models import Job, JobMetrics
from jobs.queue.cancel import cancel
from jobs.queue.pause import pause, resume
from jobs.queue.rescue import rescue
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from tests.accounts import user_named
from tests.integration.remote.conftest import token_of
from tests.rows import expire
from tests.waiting import wait_until
from tests.web import WebServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

COST = {"peak_cpu_usage": 7, "memory_usage_mb": 11, "processing_time_seconds": 0.5}


class LongAgo(signing.TimestampSigner):
    """Signs in the year 2020."""

    def timestamp(self) -> str:
        return signing.b62_encode(1_600_000_000)


def transcode(target: str = "jpg", **values: Any) -> Job:
    return submit(NewJob("transcode", "short.mp4", target, **{"priority": 2, **values}))


def lease(web: WebServer, wanted: dict[str, Any], wait: int = 0, **changed: Any) -> httpx.Response:
    headers = {"Prefer": f"wait={wait}"} if wait else {}
    return web.call("POST", "jobs/lease", json={**wanted, **changed}, headers=headers)


def leased(web: WebServer, wanted: dict[str, Any], **changed: Any) -> dict[str, Any]:
    [job] = lease(web, wanted, **changed).json()["jobs"]
    return dict(job)


def say(web: WebServer, job: dict[str, Any], what: str, **body: Any) -> httpx.Response:
    return web.call("POST", f"jobs/{job['id']}/{what}", json={"lease": job["lease"], **body})


def complete(web: WebServer, job: dict[str, Any]) -> httpx.Response:
    return say(web, job, "complete", metrics=COST, result={"output": "../../etc/passwd"})


def bring(web: WebServer, job: dict[str, Any], body: bytes, digest: bytes = b"") -> httpx.Response:
    told = base64.b64encode(digest or hashlib.sha256(body).digest()).decode()
    headers = {"Content-Digest": f"sha-256=:{told}:"}
    return web.call("PUT", job["addresses"]["output"], content=body, headers=headers)


def cut_off(web: WebServer, job: dict[str, Any], body: bytes, length: int) -> int:
    """The status for an upload that promises more than it sends."""
    client = http.client.HTTPConnection(web.address.removeprefix("http://"), timeout=60)
    with contextlib.closing(client):
        client.putrequest("PUT", job["addresses"]["output"])
        client.putheader("Content-Length", str(length))
        client.putheader("Content-Digest", f"sha-256=:{'A' * 43}=:")
        client.endheaders(body)
        client.sock.shutdown(socket.SHUT_WR)
        return client.getresponse().status


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


def files(store: Path) -> list[str]:
    return sorted(path.name for path in (store / "outputs").rglob("*") if path.is_file())


@pytest.fixture
def picture(store: Path, tmp_path: Path) -> bytes:
    """What a transcode of the short film to jpg is."""
    make(store / "sources" / "short.mp4", tmp_path / "picture.jpg", "jpg")
    return (tmp_path / "picture.jpg").read_bytes()


def download(web: WebServer, job_id: UUID, picture: bytes) -> None:
    """The output as its owner gets it, by a link, and not at all by others."""
    owner = web.token
    address = web.call("GET", f"jobs/{job_id}").json()["links"]["output"]
    assert address == f"/api/v1/jobs/{job_id}/output"
    address = address.removeprefix("/api/v1/")  # with the token
    link = web.call("POST", f"jobs/{job_id}/output/link").json()["url"]
    for where in (address, link):
        whole = web.call("GET", where)
        assert whole.content == picture
        assert int(whole.headers["Content-Length"]) == len(picture)
        assert whole.headers["Content-Disposition"] == f'attachment; filename="{job_id}.jpg"'
        assert whole.headers["Content-Security-Policy"].startswith("sandbox")
        assert whole.headers["X-Content-Type-Options"] == "nosniff"
        etag = whole.headers["ETag"]
        for if_range, status in ((etag, 206), ('"old"', 200)):
            headers = {"Range": "bytes=-5", "If-Range": if_range}
            tail = web.call("GET", where, headers=headers)
            assert tail.status_code == status
            assert tail.content == (picture[-5:] if status == 206 else picture)
        behind = web.call("GET", where, headers={"Range": f"bytes={len(picture)}-"})
        refused(behind, 416, "range_not_satisfiable")
        assert behind.headers["Content-Range"] == f"bytes */{len(picture)}"
        assert web.call("HEAD", where).headers["Content-Length"] == str(len(picture))
    refused(web.call("GET", link[:-2]), 403, "bad_key")
    web.token = token_of(user_named("other"), READ)
    refused(web.call("GET", address), 404, "not_found")
    refused(web.call("POST", f"{address}/link"), 404, "not_found")
    web.token = owner


def test_from_lease_to_download(
    web: WebServer, wanted: dict[str, Any], store: Path, picture: bytes
) -> None:
    film = (store / "sources" / "short.mp4").read_bytes()
    owner = user_named("owner")
    job_id = transcode(owner_id=owner.pk).id
    worker = web.token
    answer = lease(web, wanted)
    job = answer.json()["jobs"][0]
    assert answer.json()["lease_seconds"] == 3 * answer.json()["renew_seconds"]
    assert set(job) >= {"id", "lease", "attempt", "parameters", "addresses", "hard_limit_seconds"}

    source = web.call("GET", job["addresses"]["source"])
    assert source.content == film
    part = web.call("GET", job["addresses"]["source"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, film[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(film)}"

    renewed = say(web, job, "progress", progress=0.25, message="1.5x").json()
    assert (renewed["cancel_requested"], renewed["drain"]) == (False, False)
    row = Job.objects.get()
    assert (row.progress, row.progress_message) == (0.25, "1.5x")

    web.token = token_of(owner, READ)
    refused(web.call("GET", f"jobs/{job_id}/output"), 409, "not_completed")
    assert "output" not in web.call("GET", f"jobs/{job_id}").json()["links"]
    web.token = worker
    refused(complete(web, job), 409, "output_missing")
    for _ in range(2):  # each answer may have been lost
        assert bring(web, {**job, **renewed}, picture).status_code == 204
    for _ in range(2):
        answer = complete(web, job)
        assert (answer.status_code, answer.json()) == (200, {"status": "COMPLETED"})
    row = Job.objects.get()
    assert files(store) == [f"{row.lease}.jpg"]
    assert JobMetrics.objects.get().peak_cpu_usage == 7
    refused(say(web, job, "fail", code="no", message=""), 409, "lease_lost")
    refused(bring(web, job, b"another"), 409, "lease_lost")
    refused(web.call("GET", job["addresses"]["source"]), 409, "lease_lost")

    web.token = token_of(owner, READ)
    download(web, job_id, picture)
    next((store / "outputs").rglob("*.jpg")).unlink()
    refused(web.call("GET", f"jobs/{job_id}/output"), 410, "output_gone")


def test_what_is_no_output_of_the_job_is_refused(
    web: WebServer, wanted: dict[str, Any], store: Path, picture: bytes
) -> None:
    transcode(max_attempts=2)
    job = leased(web, wanted)
    refused(bring(web, job, picture, hashlib.sha256(b"x").digest()), 422, "wrong_digest")
    answer = web.call("PUT", job["addresses"]["output"], content=picture)
    refused(answer, 400, "digest_required")
    for length, status in ((2**44, 413), (len(picture) + 1, 400)):
        assert cut_off(web, job, picture, length) == status
    assert files(store) == []
    assert bring(web, job, b"<script>alert(1)</script>" * 100).status_code == 204
    refused(bring(web, job, picture), 409, "upload_differs")
    refused(complete(web, job), 422, "bad_output")
    row = Job.objects.get()
    assert (row.status, row.attempt, files(store)) == (Status.PENDING, 1, [])
    refused(complete(web, job), 409, "lease_lost")

    # Media, but not what was asked for: the film itself instead of a picture of it.
    Job.objects.update(status="QUEUED", queued_at=row.created_at)
    job = leased(web, wanted)
    assert bring(web, job, (store / "sources" / "short.mp4").read_bytes()).status_code == 204
    refused(complete(web, job), 422, "bad_output")
    row = Job.objects.get()
    assert (row.status, row.error_code, files(store)) == (Status.FAILED, "bad_output", [])
    assert "mov,mp4" in row.error_message


def test_a_lost_lease_a_cancel_and_a_time_limit(
    web: WebServer, wanted: dict[str, Any], store: Path, picture: bytes
) -> None:
    lost = transcode()
    job = leased(web, wanted)
    assert bring(web, job, picture).status_code == 204
    expire(lost.id)
    rescue(0.0, 3)
    for what, body in (
        ("progress", {}),
        ("complete", {"metrics": COST}),
        ("fail", {"code": "no", "message": "no"}),
        ("release", {}),
    ):
        refused(say(web, job, what, **body), 409, "lease_lost")
    # The next attempt has a lease of its own; the old one opens nothing of it.
    again = leased(web, wanted)
    assert again["attempt"] == 1
    refused(complete(web, job), 409, "lease_lost")
    cancel(lost.id)
    assert say(web, again, "progress").json()["cancel_requested"]
    assert say(web, again, "release").json() == {"status": "CANCELLED"}
    assert files(store) == []

    slow = transcode(hard_limit_seconds=0.2)
    job = leased(web, wanted)
    wait_until(lambda: say(web, job, "progress").status_code == 409, "the time is over")
    slow.refresh_from_db()
    assert (slow.status, slow.attempt) == (Status.PENDING, 1)
    Job.objects.all().delete()

    released = transcode()
    job = leased(web, wanted)
    for _ in range(2):
        assert say(web, job, "release").json() == {"status": "QUEUED"}
    released.refresh_from_db()
    assert released.attempt == 0
    job = leased(web, wanted)
    for _ in range(2):
        answer = say(web, job, "fail", code="broken", message="as it is", retryable=False)
        assert answer.json() == {"status": "FAILED"}
    released.refresh_from_db()
    assert (released.error_code, released.error_message) == ("broken", "as it is")


def test_keys_and_tokens_open_what_they_are_of(
    web: WebServer, wanted: dict[str, Any], settings: Settings, picture: bytes
) -> None:
    first, second = transcode(), transcode()
    mine, other = leased(web, wanted), leased(web, wanted, name="another:2")
    source, output = mine["addresses"]["source"], mine["addresses"]["output"]
    path, _, key = source.partition("?key=")
    payload = LongAgo(salt="jobs.remote.source").unsign(unquote(key))
    expired = LongAgo(salt="jobs.remote.source").sign(payload)
    for bad in (
        path,
        f"{path}?key={expired}",
        f"{source[:-1]}{'A' if source[-1] != 'A' else 'B'}",
        source.replace(str(first.id), str(second.id)),
        f"{path}?{output.partition('?')[2]}",
        f"{path}?key=%F0%9F%8E%AC",
    ):
        refused(web.call("GET", bad), 403, "bad_key")
    refused(
        bring(web, {"addresses": {"output": f"{path[:-6]}output?key={key}"}}, picture),
        403,
        "bad_key",
    )
    stolen = {"id": other["id"], "lease": mine["lease"]}
    refused(say(web, stolen, "progress"), 409, "lease_lost")
    refused(say(web, {**mine, "lease": mine["lease"][:-1]}, "progress"), 409, "lease_lost")
    refused(say(web, {**mine, "lease": key}, "progress"), 409, "lease_lost")
    assert "key=" not in web.log.read_text()
    assert mine["lease"] not in web.log.read_text()


def test_whose_jobs_a_worker_gets(web: WebServer, wanted: dict[str, Any]) -> None:
    alice, bob = user_named("alice"), user_named("bob")
    transcode(owner_id=bob.pk, priority=3)
    mine = transcode(owner_id=alice.pk)
    transcode()
    everybodys = web.token
    web.token = token_of(alice)
    job = leased(web, wanted)
    assert job["id"] == str(mine.id)
    assert lease(web, wanted).status_code == 204
    # The lease token is worth nothing with another's worker token, nor with one of another scope.
    for token, status, code in (
        (token_of(bob), 409, "lease_lost"),
        (everybodys, 409, "lease_lost"),
        (token_of(alice, READ, SUBMIT, ADMIN), 403, "permission_denied"),
        ("", 401, "not_authenticated"),
    ):
        web.token = token
        refused(say(web, job, "progress"), status, code)
        refused(say(web, job, "complete", metrics=COST), status, code)
        if status != 409:
            refused(lease(web, wanted), status, code)


def test_who_gets_which_job(web: WebServer, wanted: dict[str, Any]) -> None:
    low, high = transcode(priority=1), [transcode(priority=3) for _ in range(11)]
    above = transcode(priority=9)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: lease(web, wanted, count=2).json()["jobs"], range(6)))
    got = [job["id"] for jobs in answers for job in jobs]
    assert sorted(got) == sorted([str(low.id), *(str(job.id) for job in high)])
    assert lease(web, wanted).status_code == 204
    [urgent] = lease(web, wanted, pool="high").json()["jobs"]
    assert urgent["id"] == str(above.id)

    # In turn: higher priorities first, then who came first.
    order = [transcode(priority=n) for n in (1, 2, 2)]
    turn = [leased(web, wanted)["id"] for _ in order]
    assert turn == [str(job.id) for job in (order[1], order[2], order[0])]


def asked(web: WebServer) -> int:
    """How many requests for jobs have ended."""
    return web.log.read_text().count('"route": "api/v1/jobs/lease"')


def lease_by(client: httpx.Client, web: WebServer, wanted: dict[str, Any]) -> httpx.Response:
    """Waits three seconds."""
    return client.post(
        f"{web.address}/api/v1/jobs/lease",
        json=wanted,
        headers={"Prefer": "wait=3", "Authorization": f"Token {web.token}"},
    )


def test_waiting(web: WebServer, wanted: dict[str, Any]) -> None:
    # One client, made before: all ask within the three seconds of the first.
    with httpx.Client(timeout=60) as client, ThreadPoolExecutor(12) as threads:
        waiting = [threads.submit(lease_by, client, web, wanted) for _ in range(10)]
        # Though ten ask to wait, the service answers others.
        assert web.call("GET", "jobs/health").is_success
        answers = [one.result() for one in waiting]
        assert {answer.status_code for answer in answers} == {204}
        applied = [one for one in answers if "Preference-Applied" in one.headers]
        assert 1 <= len(applied) <= 4
        assert applied[0].headers["Preference-Applied"] == "wait=3"
        assert max(one.elapsed.total_seconds() for one in answers) >= 2.5

        late = threads.submit(lease, web, wanted, 20)
        job = transcode()
        assert late.result().json()["jobs"][0]["id"] == str(job.id)
    pause("low", reason="no")
    transcode()
    body = lease(web, wanted).json()
    assert (body["jobs"], body["paused"], body["drain"]) == ([], True, False)
    resume("low")
    # For a worker that hangs up nothing is claimed.
    Job.objects.all().delete()
    before = asked(web)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{web.address}/api/v1/jobs/lease",
            json=wanted,
            headers={"Prefer": "wait=20", "Authorization": f"Token {web.token}"},
            timeout=0.75,
        )
    wait_until(lambda: asked(web) > before, "the service notices")
    left = transcode()
    assert leased(web, wanted)["id"] == str(left.id)

    refused(lease(web, wanted, version=2), 409, "upgrade_required")
    mistakes: list[dict[str, Any]] = [
        {"pool": "none"}, {"types": []}, {"types": [1]}, {"count": 21}, {"count": True},
        {"name": "a b"}, {"name": "a\n"}, {"more": 1},
    ]  # fmt: skip
    for wrong in mistakes:
        refused(lease(web, wanted, **wrong), 400, "validation_error")
