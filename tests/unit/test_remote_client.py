"""A remote worker and a service that answers as it seldom does, or at a moment of its own."""

import signal
from pathlib import Path

import httpx
import pytest
from pytest_django import Settings

from jobs.remote.client.loop import STOPS, RemoteWorker
from jobs.remote.client.loop import Settings as Asked
from jobs.remote.client.server import LeaseLost, Server

JOB = {"id": "1", "lease": "token"}


def server_that_answers(monkeypatch: pytest.MonkeyPatch, *answers: httpx.Response) -> Server:
    left = list(answers)
    made = Server("http://service", "token", lambda seconds: False)
    transport = httpx.MockTransport(lambda request: left.pop(0))
    monkeypatch.setattr(made, "_http", httpx.Client(transport=transport))
    return made


def conflict(code: str) -> httpx.Response:
    return httpx.Response(409, json={"code": code, "detail": ""})


def test_who_lost_patience_with_a_call_waits_for_the_answer_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = httpx.Response(200, json={"status": "COMPLETED"})
    asked = server_that_answers(monkeypatch, conflict("busy"), httpx.Response(503), done)
    assert asked.say(JOB, "complete") == {"status": "COMPLETED"}


def test_a_lost_lease_is_lost_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = server_that_answers(monkeypatch, conflict("lease_lost"))
    with pytest.raises(LeaseLost):
        asked.say(JOB, "complete")


def test_a_signal_to_a_worker_that_is_at_its_end_does_not_kill_it(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    worker = RemoteWorker(Asked("http://service", "token", "low"), {})
    drain = httpx.Response(200, json={"jobs": [], "drain": True, "renew_seconds": 1})
    goodbye = httpx.Response(204)
    monkeypatch.setattr(worker, "_server", server_that_answers(monkeypatch, drain, goodbye))
    before = {number: signal.getsignal(number) for number in STOPS}
    try:
        worker.run()
        signal.raise_signal(signal.SIGTERM)
        assert {signal.getsignal(number) for number in STOPS} == {signal.SIG_IGN}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
