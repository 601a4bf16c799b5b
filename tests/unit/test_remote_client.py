"""A remote worker and a service that answers as it seldom does, or at a moment of its own."""

import signal
from pathlib import Path

import pytest
from pytest_django import Settings

from jobs.remote.client.loop import STOPS, RemoteWorker
from jobs.remote.client.loop import Settings as Asked
from jobs.remote.client.patience import LONGEST_RETRY_AFTER_SECONDS, MOST_SCANS, Stopped
from jobs.remote.client.server import LeaseLost, Refused, Server
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


def unscanned(after: str) -> Answer:
    problem = {"code": "scan_unavailable", "detail": "The scanner is away."}
    return Answer(503, problem, {**PROBLEM, "Retry-After": after})


def test_a_scanner_is_waited_for_as_the_service_says_and_not_for_ever() -> None:
    paused: list[float] = []

    def pause(seconds: float) -> bool:
        paused.append(seconds)
        return False

    done = Answer(200, {"status": "COMPLETED"})
    with serving(unscanned("30"), unscanned("9999"), unscanned("soon"), done) as script:
        server = Server(script.url, "token", pause)
        assert server.say(JOB, "complete") == {"status": "COMPLETED"}
    assert paused[:2] == [30, LONGEST_RETRY_AFTER_SECONDS]
    assert paused[2] < 5
    with serving(unscanned("30")) as script, pytest.raises(Refused) as caught:
        Server(script.url, "token", pause).say(JOB, "complete")
    assert (caught.value.status, caught.value.code) == (503, "scan_unavailable")
    assert len(script.asked) == MOST_SCANS + 1


def test_a_job_that_is_to_stop_waits_for_no_scanner(tmp_path: Path) -> None:
    with serving(unscanned("30")) as script:
        server = asking(script)
        with pytest.raises(Stopped):
            server.say(JOB, "complete", stopped=lambda: True)
        assert not server.fetch(lambda: "/s", tmp_path / "s", lambda: True, lambda seconds: True)
    assert len(script.asked) == 2


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
