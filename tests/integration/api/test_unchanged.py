"""What answers a token's poll early lets nothing through that the ordinary way would not."""

import json
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.datastructures import CaseInsensitiveMapping
from pytest_django import Settings

from accounts.models import Account, Token
from accounts.plans import PLANS, Plan
from accounts.scopes import ADMIN, READ, SUBMIT, WORK
from jobs.api import unchanged_wsgi
from jobs.api.unchanged_wsgi import UnchangedFirst
from jobs.models import Job, RequestCount
from jobs.queue.database import fetch
from tests.integration.api.asking import UNKNOWN_ID, assert_headers, problem_of

EARLY = "jobs.api.unchanged.UnchangedMiddleware"
# Of each request alone; the ordinary way's Allow and Content-Length tell nothing of a 304.
OWN = {"X-Request-ID", "Allow", "Content-Length", "RateLimit", "RateLimit-Policy"}
LOGGED = {"event", "method", "route", "ids", "status", "user", "request_id", "level", "logger"}

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
        client = Client(raise_request_exception=False, headers=self.credentials(who))
        return client.generic(more.pop("method", "GET"), path or self.path, headers=more)

    def credentials(self, who: str | None) -> dict[str, str]:
        """The header that says so."""
        return {} if who is None else {"Authorization": f"Token {self.tokens[who]}"}

    @staticmethod
    def _token(user: User, *scopes: str, **values: Any) -> str:
        token, secret = Token.objects.create(user, scopes=list(scopes))
        Token.objects.filter(pk=token.pk).update(**values)
        return str(secret)


class Front:
    """The application that the web server calls. `asked`: how often it asked Django."""

    def __init__(self, world: World) -> None:
        self.asked = 0
        self._world = world
        self._django = WSGIHandler()
        self._application = UnchangedFirst(self._counted)

    def ask(self, who: str | None = "hers", path: str = "", **more: str) -> Any:
        """One GET, as World.ask."""
        asked = RequestFactory(headers=self._world.credentials(who)).generic(
            more.pop("method", "GET"), path or self._world.path, headers=more
        )
        answer = SimpleNamespace()

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            answer.status_code = int(status[:3])
            answer.headers = CaseInsensitiveMapping(headers)

        body: Any = self._application(asked.environ, start)
        answer.content = b"".join(body)
        answer.json = lambda: json.loads(answer.content)
        if hasattr(body, "close"):
            body.close()
        return answer

    def _counted(self, environ: Any, start_response: Any) -> Any:
        self.asked += 1
        return self._django(environ, start_response)


@pytest.fixture
def world(alice: User, bob: User, staff: User) -> World:
    return World(alice, bob, staff)


@pytest.fixture
def front(world: World, monkeypatch: pytest.MonkeyPatch) -> Front:
    # After a request Django closes a connection whose transaction was left open: the test's.
    monkeypatch.setitem(connection.settings_dict, "AUTOCOMMIT", connection.get_autocommit())
    return Front(world)


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
    expected, asked = _case(world, name)

    early = world.ask(**asked)
    ordinary()
    late = world.ask(**asked)

    assert (early.status_code, late.status_code) == (expected, expected)
    assert ("Allow" not in early.headers) == (expected == 304 and name != "JSON")
    assert "Allow" in late.headers
    assert _shown(early) == _shown(late)
    assert_headers(early)


@pytest.mark.parametrize("name", CASES)
def test_what_stands_before_django_answers_as_it_does(
    world: World, front: Front, settings: Settings, name: str
) -> None:
    settings.ALLOW_ANONYMOUS = False
    for _ in range(2):
        assert front.ask(**{"If-None-Match": world.tag}).status_code == 304
    assert front.asked == 1
    expected, asked = _case(world, name)

    learned = front.ask(**asked)
    before = front.asked
    again = front.ask(**asked)
    plain = world.ask(**asked)

    assert (learned.status_code, again.status_code) == (expected, expected)
    assert (front.asked == before) == (expected == 304 and name not in {"JSON", "slash"})
    assert _shown(learned) == _shown(again) == _shown(plain)


def _case(world: World, name: str) -> tuple[int, dict[str, Any]]:
    """What is to be answered to what, now."""
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
    return expected, {key: text and text.format(**names) for key, text in asked.items()}


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


def test_what_django_refuses_or_says_to_others_is_not_learned_for_all(
    world: World, front: Front, settings: Settings
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://pages.example"]
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    asked = {"If-None-Match": world.tag, "X-Forwarded-Proto": "https"}

    for _ in range(2):
        plain = front.ask(**asked)
        named = front.ask(**asked, Origin="https://pages.example")
        other = front.ask(**asked, Origin="https://evil.example")
        refused = [
            front.ask(**asked | {"X-Forwarded-Proto": "http"}),
            front.ask(**asked, Host="evil.example"),
            front.ask(**asked, path=f"{world.path}?%00"),
        ]

        assert [one.status_code for one in (plain, named, other)] == [304] * 3
        assert [one.status_code for one in refused] == [403, 400, 400]
        assert "Strict-Transport-Security" in plain.headers
        assert named.headers["Access-Control-Allow-Origin"] == "https://pages.example"
        for one in (plain, other):
            assert "Access-Control-Allow-Origin" not in one.headers
            assert "origin" in one.headers["Vary"]


def test_the_front_logs_a_304_as_django_does_and_names_it(
    world: World, front: Front, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    names = [
        front.ask(**{"If-None-Match": world.tag, "X-Request-ID": given}).headers["X-Request-ID"]
        for given in ("asked-of-django", "asked-of-the-front", "bad name", "bad name")
    ]

    assert front.asked == 1
    assert names[:2] == ["asked-of-django", "asked-of-the-front"]
    assert len({*names}) == 4
    lines: list[Any] = [r.msg for r in caplog.records if "http.request" in str(r.msg)]
    seen = [{k: v for k, v in line.items() if k in LOGGED} for line in lines]
    assert [line.pop("request_id") for line in seen[-4:]] == names
    assert seen[-4] == seen[-3] == seen[-2] == seen[-1]
    assert (seen[-1]["status"], seen[-1]["user"]) == (304, alice.pk)
    assert seen[-1]["ids"] == [str(world.job.id)]


def test_only_so_many_kinds_of_requests_are_remembered(
    world: World, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unchanged_wsgi, "_MOST_KINDS", 2)
    asked = {"If-None-Match": world.tag}

    for agent in ("a", "b", "b", "a", "c", "c", "a"):
        assert front.ask(**asked, **{"User-Agent": agent}).status_code == 304
    assert front.asked == 4

    for _ in range(2):
        assert front.ask(**asked, **{"User-Agent": "long" * 2000}).status_code == 304
    assert front.asked == 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before_django", [False, True])
def test_a_connection_that_died_since_the_last_request_costs_no_answer(
    world: World, front: Front, before_django: bool
) -> None:
    front.ask(**{"If-None-Match": world.tag})
    ask: Asking = front.ask if before_django else world.ask
    world.ask()
    connection.health_check_done = False  # type: ignore[attr-defined]  # a new request
    pid = fetch("SELECT pg_backend_pid()", {})[0][0]
    with connection.copy().cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        other.connection.close()

    assert ask(**{"If-None-Match": world.tag}).status_code == 304
    assert front.asked == 1
