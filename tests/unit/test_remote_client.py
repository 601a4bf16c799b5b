"""A remote worker and a service that answers as it seldom does, or at a moment of its own."""

import signal
from pathlib import Path

import pytest
from pytest_django import Settings

from jobs.remote.client.loop import STOPS, RemoteWorker
from jobs.remote.client.loop import Settings as Asked
from jobs.remote.client.server import LeaseLost, Server
from tests.integration.client.scripted import PROBLEM, Answer, Script, serving

JOB = {"id": "1", "lease": "token"}


def asking(script: Script) -> Server:
    return Server(script.url, "token", lambda seconds: False)


def conflict(code: str) -> Answer:
    return Answer(409, {"code": code, "detail": ""}, PROBLEM)


def test_who_lost_patience_with_a_call_waits_for_the_answer_to_it() -> None:
    done = Answer(200, {"status": "COMPLETED"})
    with serving(conflict("busy"), Answer(503, {}), done) as script:
        assert asking(script).say(JOB, "complete") == {"status": "COMPLETED"}
    assert len(script.asked) == 3


def test_a_lost_lease_is_lost_at_once() -> None:
    with serving(conflict("lease_lost")) as script, pytest.raises(LeaseLost):
        asking(script).say(JOB, "complete")
    assert len(script.asked) == 1


def test_a_signal_to_a_worker_that_is_at_its_end_does_not_kill_it(
    settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    drain = Answer(200, {"jobs": [], "drain": True, "renew_seconds": 1})
    before = {number: signal.getsignal(number) for number in STOPS}
    try:
        with serving(drain, Answer(204, b"")) as script:
            RemoteWorker(Asked(script.url, "token", "low"), {}).run()
        assert len(script.asked) == 2
        signal.raise_signal(signal.SIGTERM)
        assert {signal.getsignal(number) for number in STOPS} == {signal.SIG_IGN}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
