"""Attacks on the real web server: what it logs, what it keeps, whom it lets wait."""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from django.contrib.auth.models import User

from accounts.models import Token
from jobs.models import Job
from jobs.states import Status
from tests.accounts import PASSWORD, user_named
from tests.rows import job_in
from tests.waiting import wait_until
from tests.web import WebServer
from tests.workers import database_url

CANARY = "canary-7f3a"


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(
        database_url(),
        tmp_path / "media",
        tmp_path / "web.log",
        DJANGO_SETTINGS_MODULE="mediaproc.settings",
        DEBUG="False",
        ALLOW_ANONYMOUS="False",
        LOG_LEVEL="DEBUG",
        WEB_THREADS="4",
        WEB_SILENCE_SECONDS="1",
        WEB_LEAST_BYTES_PER_SECOND="1000000",
    )
    _, server.token = Token.objects.create(user_named("alice"), scopes=["submit", "read", "work"])
    yield server
    server.stop()


def test_nothing_secret_is_logged(server: WebServer) -> None:
    secret = {"X-Request-ID": f"{CANARY}\t{{}}", "User-Agent": CANARY, "Referer": CANARY}
    calls = [
        ("GET", f"/api/v1/jobs?metadata.a={CANARY}", {"Authorization": f"Token {CANARY}"}, None),
        ("POST", "jobs", {"Idempotency-Key": CANARY}, {"job_type": "simulate"}),
        ("GET", f"jobs/{CANARY}", {"Cookie": f"__Host-sessionid={CANARY}"}, None),
        ("GET", f"jobs/{CANARY}/output/shared?key={CANARY}", {}, None),
        ("GET", f"/{CANARY}?{CANARY}", {}, None),
        ("GET", f"/api/{CANARY}%0aINFO", {}, None),
        ("POST", "/api/v1/auth/login", {}, {"username": "alice", "password": CANARY}),
        ("POST", "/api/v1/auth/login", {}, {"username": "al", "password": PASSWORD, "x": CANARY}),
        ("PUT", f"jobs/{CANARY}/lease/output?key={CANARY}", {}, None),
        ("GET", "/api/v1/jobs", {"Host": f"{CANARY}.example"}, None),
        ("GET", f"/admin/login/?next={CANARY}", {}, None),
        (CANARY.upper(), "jobs", {}, None),
    ]
    for method, path, headers, body in calls:
        answer = server.call(method, path, headers={**secret, **headers}, json=body)
        assert answer.status_code < 500, (path, answer.text)
        assert all(CANARY not in value for value in answer.headers.values()), path
    log = server.log.read_text()
    assert log.count("http.request") >= len(calls)
    told = [line for line in log.splitlines() if CANARY in line.lower() or PASSWORD in line]
    assert told == []
    for line in log.splitlines()[-len(calls) :]:
        assert json.loads(line)["event"]


def test_forms_leave_no_files(server: WebServer) -> None:
    """The CSRF check reads forms, also of who has no account."""
    csrf = dict(httpx.get(f"{server.address}/api/v1/auth/session").cookies)
    [process] = psutil.Process(server.process.pid).children()
    before = process.io_counters().write_chars
    form = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    for path in ("/api/v1/auth/session", "/admin/login/"):
        answer = httpx.post(
            f"{server.address}{path}",
            content=form + b"x" * 9_000_000 + b"\r\n--b--\r\n",
            headers={"Content-Type": "multipart/form-data; boundary=b"},
            cookies=csrf,
        )
        assert answer.status_code in {302, 403, 415}
    assert process.io_counters().write_chars - before < 1_000_000


def connected(server: WebServer) -> socket.socket:
    host, port = server.address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)))


def test_who_falls_silent_keeps_nobody_out(server: WebServer) -> None:
    head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\n"
    begun = (
        head + b"X: ",
        head + b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    )
    with contextlib.ExitStack() as silent:
        for number in range(16):
            one = silent.enter_context(connected(server))
            one.sendall(begun[number % 2])
        assert server.call("GET", "jobs/health").status_code == 200


def test_who_sends_a_byte_now_and_then_is_cut_off(server: WebServer) -> None:
    """Never silent for WEB_SILENCE_SECONDS, and never done."""
    head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\n"
    begun = (
        head + b"X: ",
        head + b"Content-Type: application/json\r\nContent-Length: 900000\r\n\r\n{",
    )
    for each in begun:
        with connected(server) as one:
            one.sendall(each)

            def refused(one: socket.socket = one) -> bool:
                try:
                    one.send(b"x")
                    return one.recv(65_536, socket.MSG_DONTWAIT) == b""
                except BlockingIOError:
                    return False
                except OSError:
                    return True

            wait_until(refused, "a slow client is cut off")


def test_who_reads_a_download_slowly_keeps_nobody_out(server: WebServer, tmp_path: Path) -> None:
    """Half of them read nothing, and half a little now and then."""
    job = job_in(Status.COMPLETED)
    owned = Job.objects.filter(id=job.id)
    owned.update(owner=User.objects.get(), result={"output": f"{job.id}/1.mp4"})
    output = tmp_path / "media" / "outputs" / str(job.id) / "1.mp4"
    output.parent.mkdir(parents=True)
    with output.open("wb") as big:
        big.truncate(256_000_000)
    ask = (
        f"GET /api/v1/jobs/{job.id}/output HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Token {server.token}\r\n\r\n"
    ).encode()
    with contextlib.ExitStack() as slow:
        readers = [slow.enter_context(connected(server)) for _ in range(8)]
        for one in readers:
            one.sendall(ask)
        assert [one.recv(12) for one in readers[:4]] == [b"HTTP/1.1 200"] * 4

        def served() -> bool:
            for one in readers[4:]:
                with contextlib.suppress(OSError):
                    one.recv(2_000, socket.MSG_DONTWAIT)
            with contextlib.suppress(httpx.TimeoutException):
                return httpx.get(f"{server.address}/api/v1/jobs/health", timeout=0.2).is_success
            return False

        wait_until(served, "others are served")
    # Who reads on gets all of it.
    assert len(server.call("GET", f"jobs/{job.id}/output").content) == 256_000_000


def test_who_only_stays_connected_keeps_nobody_out(server: WebServer) -> None:
    """Half of them have their answers, and wait for whoever closes first; half never say a word."""
    with contextlib.ExitStack() as open_ones:
        for _ in range(60):
            open_ones.enter_context(connected(server))
            one = open_ones.enter_context(connected(server))
            one.sendall(b"GET /api/v1/jobs/health HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert server.call("GET", "jobs/health").status_code == 200
