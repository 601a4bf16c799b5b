"""What answers a token's poll early lets nothing through that the ordinary way would not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, Token
from accounts.plans import PLANS, Plan
from accounts.scopes import ADMIN, READ, SUBMIT, WORK
from jobs.models import Job, RequestCount
from jobs.queue.database import fetch
from tests.integration.api.asking import UNKNOWN_ID, assert_headers, problem_of

EARLY = "jobs.api.unchanged.UnchangedMiddleware"
# Of each request alone; the ordinary way's Allow and Content-Length tell nothing of a 304.
OWN = {"X-Request-ID", "Allow", "Content-Length", "RateLimit", "RateLimit-Policy"}

Asking = Callable[..., Any]


class World:
    """A job of alice's, tokens, and both ways to ask for it."""

    def __init__(self, alice: User, bob: User, staff: User) -> None:
        self.tokens = {
            "hers": self._token(alice, READ, SUBMIT),
            "his": self._token(bob, READ),
            "staff": self._token(staff, READ, ADMIN),
            "staff reading": self._token(staff, READ),
            "submitting": self._token(alice, SUBMIT, WORK),
            "expired": self._token(alice, READ, expiry=timezone.now() - timedelta(seconds=1)),
            "unknown": "mp_" + "0" * 64,
            "not ascii": "mp_é",
            "two words": "a b",
            "empty": "",
        }
        made = Client(headers={"Authorization": f"Token {self.tokens['hers']}"}).post(
            "/api/v1/jobs",
            {"source_file": "a.mp4", "target_format": "avi"},
            content_type="application/json",
        )
        self.path = made["Location"]
        self.job = Job.objects.get()
        self.tag = self.ask("hers")["ETag"]

    def ask(self, who: str | None = "hers", path: str = "", **more: str) -> Any:
        """One GET, as the network would have it."""
        headers = {} if who is None else {"Authorization": f"Token {self.tokens[who]}"}
        method = more.pop("method", "GET")
        client = Client(raise_request_exception=False, headers=headers)
        return client.generic(method, path or self.path, headers=more)

    @staticmethod
    def _token(user: User, *scopes: str, **values: Any) -> str:
        token, secret = Token.objects.create(user, scopes=list(scopes))
        Token.objects.filter(pk=token.pk).update(**values)
        return str(secret)


@pytest.fixture
def world(alice: User, bob: User, staff: User) -> World:
    return World(alice, bob, staff)


@pytest.fixture
def ordinary(settings: Settings) -> Callable[[], None]:
    """Call it, and no request is answered early."""

    def without() -> None:
        assert EARLY in settings.MIDDLEWARE
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != EARLY]

    return without


def _change(job: Job) -> None:
    with transaction.atomic():  # another writer of the row
        Job.objects.filter(pk=job.pk).update(progress=0.5)


CASES: dict[str, tuple[int, dict[str, Any]]] = {
    "unchanged": (304, {}),
    "HEAD": (304, {"method": "HEAD"}),
    "gzip": (304, {"Accept-Encoding": "gzip"}),
    "origin": (304, {"Origin": "https://evil.example"}),
    "slash": (304, {"path": "{path}/"}),
    "status": (304, {"path": "/api/v1/job/{id}/status"}),
    "capitals": (304, {"path": "/api/v1/jobs/{ID}"}),
    "star": (304, {"If-None-Match": "*"}),
    "several": (304, {"If-None-Match": '"a", {tag}, W/"b"'}),
    "strong": (304, {"If-None-Match": "{strong}"}),
    "staff": (304, {"who": "staff"}),
    "JSON": (304, {"Accept": "application/json"}),
    "another tag": (200, {"If-None-Match": '"a", W/"b"'}),
    "malformed tag": (200, {"If-None-Match": "{bare}"}),
    "changed": (200, {"then": lambda world: _change(world.job)}),
    "XML": (406, {"Accept": "application/xml"}),
    "POST": (405, {"method": "POST"}),
    "his": (404, {"who": "his"}),
    "his star": (404, {"who": "his", "If-None-Match": "*"}),
    "staff without admin": (404, {"who": "staff reading"}),
    "staff no more": (
        404,
        {"who": "staff", "then": lambda _: User.objects.update(is_staff=False)},
    ),
    "unknown id": (404, {"path": f"/api/v1/jobs/{UNKNOWN_ID}", "If-None-Match": "*"}),
    "no id": (404, {"path": "/api/v1/jobs/x", "If-None-Match": "*"}),
    "events": (200, {"path": "{path}/events", "If-None-Match": "*"}),
    "deleted": (404, {"then": lambda world: world.job.delete(), "If-None-Match": "*"}),
    "nobody": (401, {"who": None}),
    "unknown token": (401, {"who": "unknown"}),
    "expired": (401, {"who": "expired"}),
    "not ascii": (401, {"who": "not ascii"}),
    "two words": (401, {"who": "two words"}),
    "empty": (401, {"who": "empty"}),
    "another scheme": (401, {"who": None, "Authorization": "Bearer x"}),
    "revoked": (401, {"then": lambda _: Token.objects.all().delete()}),
    "inactive": (
        401,
        {"then": lambda _: User.objects.filter(username="alice").update(is_active=False)},
    ),
    "scope": (403, {"who": "submitting"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_both_ways_answer_alike(
    world: World, ordinary: Callable[[], None], settings: Settings, name: str
) -> None:
    settings.ALLOW_ANONYMOUS = False
    expected, values = CASES[name]
    asked = {"If-None-Match": "{tag}", **values}
    asked.pop("then", lambda _: None)(world)
    names = {
        "path": world.path,
        "id": str(world.job.id),
        "ID": str(world.job.id).upper(),
        "tag": world.tag,
        "strong": world.tag.removeprefix("W/"),
        "bare": world.tag.removeprefix("W/").strip('"'),
    }
    asked = {key: text and text.format(**names) for key, text in asked.items()}

    early = world.ask(**asked)
    ordinary()
    late = world.ask(**asked)

    assert (early.status_code, late.status_code) == (expected, expected)
    assert ("Allow" not in early.headers) == (expected == 304 and name != "JSON")
    assert "Allow" in late.headers
    assert _shown(early) == _shown(late)
    assert_headers(early)


def _shown(response: Any) -> Any:
    """All that a client can tell two answers by."""
    body = response.json() if response.content else None
    return body, {k: v for k, v in response.headers.items() if k not in OWN}


def test_a_304_is_logged_and_noted_like_any_answer_and_counts_as_no_request(
    world: World, alice: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setitem(PLANS, "two", Plan(requests_a_minute=2))
    Account.objects.update(plan="two")
    RequestCount.objects.all().delete()
    # A clock that is behind the count's begins no minute anew.
    RequestCount.objects.create(
        client=f"user:{alice.pk}", minute=timezone.now() + timedelta(minutes=1), requests=0
    )
    Token.objects.update(last_used_at=None)

    answers = [
        world.ask(**{"If-None-Match": world.tag, "X-Request-ID": f"number-{number}"})
        for number in range(3)
    ]

    assert [answer.status_code for answer in answers] == [304, 304, 304]
    assert answers[0]["X-Request-ID"] == "number-0"
    assert "RateLimit" not in answers[0]
    assert [world.ask().status_code for _ in range(2)] == [200, 200]
    problem_of(world.ask(), 429, "throttled")
    assert world.ask(**{"If-None-Match": world.tag}).status_code == 304
    assert Token.objects.exclude(last_used_at=None).count() == 1
    lines = [r.getMessage() + str(r.msg) for r in caplog.records if "number-0" in str(r.msg)]
    [line] = lines
    for told in ("api/v1/jobs/<str:job_id>", str(world.job.id), "304", f"'user': {alice.pk}"):
        assert told in line


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_died_since_the_last_request_costs_no_answer(world: World) -> None:
    world.ask()
    connection.health_check_done = False  # type: ignore[attr-defined]  # a new request
    pid = fetch("SELECT pg_backend_pid()", {})[0][0]
    with connection.copy().cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        other.connection.close()

    assert world.ask(**{"If-None-Match": world.tag}).status_code == 304
