"""The service as a remote worker sees it, where that answers as it seldom does."""

import httpx
import pytest

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
