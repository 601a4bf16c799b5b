"""Names and passwords, tokens, sessions: how one gets in and how it ends."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from accounts.client_address import client_address
from accounts.models import Token
from tests.accounts import PASSWORD, ClientOf
from tests.integration.api.asking import problem_of
from tests.smtp_server import Mailbox

AUTH = "/api/v1/auth/"


def log_in(api: APIClient, password: str = PASSWORD, name: str = "alice", **more: Any) -> Any:
    return api.post(f"{AUTH}login", {"username": name, "password": password}, format="json", **more)


def with_token(token: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_a_login_gives_a_token_that_is_stored_nowhere(
    api: APIClient, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = log_in(api).json()
    token = answer["token"]
    assert re.fullmatch(r"mp_[0-9a-f]{64}", token)
    assert answer["scopes"] == ["submit", "read"]
    client = with_token(token)
    assert client.get(f"{AUTH}me").json()["username"] == "alice"
    listed = client.get(f"{AUTH}me/tokens").json()["results"]
    assert [row["id"] for row in listed] == [answer["id"]]
    secret = token[15:]  # what comes before is how knox looks tokens up
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            rows = f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s'  # noqa: S608
            cursor.execute(rows, [f"%{secret}%"])
            assert (table, cursor.fetchone()) == (table, (0,))
    assert token not in caplog.text
    assert PASSWORD not in caplog.text
    assert secret not in str(listed)


def test_a_token_ends(api: APIClient, alice: User) -> None:
    first, second, third = (with_token(log_in(api).json()["token"]) for _ in range(3))
    assert first.post(f"{AUTH}logout").status_code == 204
    problem_of(first.get(f"{AUTH}me"), 401, "authentication_failed")
    assert second.post(f"{AUTH}logoutall").status_code == 204
    assert third.get(f"{AUTH}me").status_code == 401
    fourth = with_token(log_in(api).json()["token"])
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert fourth.get(f"{AUTH}me").status_code == 401
    assert log_in(api).status_code == 401


def test_a_token_lives_on_with_use_and_not_for_ever(
    api: APIClient, alice: User, settings: Settings
) -> None:
    client = with_token(log_in(api).json()["token"])
    soon = timezone.now() + timedelta(hours=1)
    Token.objects.update(expiry=soon)
    assert client.get(f"{AUTH}me").status_code == 200
    assert Token.objects.get().expiry > soon + timedelta(days=13)
    Token.objects.update(created=timezone.now() - timedelta(days=89), last_used_at=None)
    client.get(f"{AUTH}me")
    assert Token.objects.get().expiry < timezone.now() + timedelta(days=1, minutes=1)
    Token.objects.update(expiry=timezone.now())
    assert client.get(f"{AUTH}me").status_code == 401
    assert not Token.objects.exists()


def test_tokens_for_programs(api: APIClient, alice: User, bob: User, client_of: ClientOf) -> None:
    client = with_token(log_in(api).json()["token"])
    made = client.post(f"{AUTH}me/tokens", {"name": "laptop", "scopes": ["read"]}, format="json")
    assert made.status_code == 201
    reader = with_token(made.json()["token"])
    assert reader.get("/api/v1/jobs").status_code == 200
    problem_of(reader.post("/api/v1/jobs", {}, format="json"), 403, "permission_denied")
    # A token cannot give itself more.
    asked = {"name": "more", "scopes": ["submit"]}
    assert reader.post(f"{AUTH}me/tokens", asked, format="json").status_code == 403
    asked = {"name": "more", "scopes": ["admin"]}
    problem_of(client.post(f"{AUTH}me/tokens", asked, format="json"), 400, "validation_error")
    assert client.delete(made["Location"]).status_code == 204
    assert reader.get("/api/v1/jobs").status_code == 401
    ended = Token.objects.get(user=alice)
    assert with_token("x").delete(f"{AUTH}me/tokens/{ended.id}").status_code == 401
    Token.objects.filter(user=alice).update(scopes=["admin", "submit", "read"])
    assert client.get("/api/v1/pools").status_code == 403  # nobody made him staff


def test_a_new_password_ends_what_was_given_out(api: APIClient, alice: User) -> None:
    client = with_token(log_in(api).json()["token"])
    path = f"{AUTH}me/password"
    asked = {"current_password": "wrong", "new_password": "another long passphrase"}
    assert client.post(path, asked, format="json").status_code == 401
    for weak in ("short", "alice@example.org", "123456789012"):
        asked = {"current_password": PASSWORD, "new_password": weak}
        problem_of(client.post(path, asked, format="json"), 400, "validation_error")
    asked = {"current_password": PASSWORD, "new_password": "another long passphrase"}
    assert client.post(path, asked, format="json").status_code == 204
    assert client.get(f"{AUTH}me").status_code == 401
    assert log_in(api).status_code == 401
    assert log_in(api, "another long passphrase").status_code == 200
    alice.refresh_from_db()
    alice.set_password(PASSWORD)
    alice.save()  # as the admin and the command line do
    assert not Token.objects.filter(user=alice).exists()


def test_who_guesses_is_locked_out_and_nobody_else(
    api: APIClient, alice: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = log_in(api, "wrong", "nobody").json()
    known = log_in(api, "wrong").json()
    assert unknown == known
    for forged in range(5):
        log_in(api, "wrong", HTTP_X_FORWARDED_FOR=f"10.1.1.{forged}")
    failed: list[Any] = [
        record.msg for record in caplog.records if "login.failed" in str(record.msg)
    ]
    assert {(one["username"], one["client"]) for one in failed} == {
        ("nobody", "127.0.0.1"),
        ("alice", "127.0.0.1"),
    }
    locked = log_in(api)
    problem_of(locked, 429, "locked")
    assert int(locked["Retry-After"]) == 900
    assert log_in(api, REMOTE_ADDR="192.0.2.7").status_code == 200
    settings.LOGINS_PER_MIN_LIMIT = 1
    many = [log_in(api, REMOTE_ADDR="192.0.2.8") for _ in range(3)]  # at most one more minute
    problem_of(many[-1], 429, "throttled")
    assert 1 <= int(many[-1]["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ([], "192.0.2.1", "10.0.0.1", "192.0.2.1"),
        (["192.0.2.0/24"], "192.0.2.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (["192.0.2.0/24"], "192.0.2.1", "203.0.113.9, 198.51.100.7, 192.0.2.5", "198.51.100.7"),
        (["192.0.2.1"], "192.0.2.1", "", "192.0.2.1"),
        (["192.0.2.1"], "192.0.2.1", "<script>", "192.0.2.1"),
        (["192.0.2.1"], "198.51.100.1", "10.0.0.1", "198.51.100.1"),
        (["::1"], "::1", "2001:db8::5", "2001:db8::5"),
    ],
)
def test_the_address_of_a_client(
    settings: Settings, trusted: list[str], peer: str, forwarded: str, client: str
) -> None:
    settings.TRUSTED_PROXIES = trusted
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == client


def test_sessions_want_the_csrf_token(alice: User) -> None:
    page = Client(enforce_csrf_checks=True, raise_request_exception=False)
    credentials = {"username": "alice", "password": PASSWORD}

    def post(path: str, body: object = None, csrf: str = "") -> Any:
        headers = {"X-CSRFToken": csrf} if csrf else {}
        return page.post(path, body or {}, "application/json", headers=headers)

    problem_of(post(f"{AUTH}session", credentials), 403, "permission_denied")
    csrf = page.get(f"{AUTH}session").json()["csrf_token"]
    answer = post(f"{AUTH}session", credentials, csrf)
    assert answer.status_code == 200
    csrf = answer.json()["csrf_token"]
    assert page.get(f"{AUTH}me").json()["username"] == "alice"
    job = {"job_type": "noop"}
    problem_of(post("/api/v1/jobs", job), 403, "permission_denied")
    assert post("/api/v1/jobs", job, csrf).status_code == 201
    # A bad token beside a good cookie is refused, a good one needs no CSRF token.
    assert page.get(f"{AUTH}me", headers={"Authorization": "Token mp_x"}).status_code == 401
    _, token = Token.objects.create(alice, scopes=["submit"])
    headers = {"Authorization": f"Token {token}"}
    assert page.post("/api/v1/jobs", job, "application/json", headers=headers).status_code == 201
    assert post(f"{AUTH}logout").status_code == 403
    assert post(f"{AUTH}logout", csrf=csrf).status_code == 204
    assert page.get(f"{AUTH}me").status_code == 401


REGISTER = {"username": "carol", "email": "carol@example.org", "password": PASSWORD}


def test_registration_is_off_unless_it_is_switched_on(api: APIClient, db: None) -> None:
    answer = api.post(f"{AUTH}register", REGISTER, format="json")
    problem_of(answer, 403, "registration_closed")


def test_registration_by_mail_tells_only_the_mailbox(
    api: APIClient, alice: User, settings: Settings, mailbox: Mailbox
) -> None:
    settings.ALLOW_REGISTRATION = True
    answers = [
        api.post(f"{AUTH}register", {**REGISTER, **other}, format="json")
        for other in ({}, {"email": "ALICE@example.org"}, {"username": "Alice", "email": "d@e.org"})
    ]
    assert {(each.status_code, each.content) for each in answers} == {(202, answers[0].content)}
    new, known, taken = (message.get_content() for _, message in mailbox.taken)
    assert mailbox.taken[1][0] == ["ALICE@example.org"]
    assert "has an account already" in known
    assert "the name is taken" in taken
    assert log_in(api, name="carol").status_code == 401
    code = re.findall(r'"code": "(.+)"', str(new))[0]
    wrong = {"username": "carol", "code": "x-y"}
    assert api.post(f"{AUTH}confirm", wrong, format="json").status_code == 400
    right = {"username": "carol", "code": code}
    assert api.post(f"{AUTH}confirm", right, format="json").status_code == 204
    assert log_in(api, name="carol").status_code == 200
    User.objects.filter(username="carol").update(is_active=False)
    assert api.post(f"{AUTH}confirm", right, format="json").status_code == 400


def test_registration_without_mail_answers_plainly(
    api: APIClient, db: None, settings: Settings
) -> None:
    settings.ALLOW_REGISTRATION = True
    weak = {"username": "carol", "password": "too short"}
    problem_of(api.post(f"{AUTH}register", weak, format="json"), 400, "validation_error")
    asked = {"username": "carol", "password": PASSWORD}
    assert api.post(f"{AUTH}register", asked, format="json").status_code == 201
    again = api.post(f"{AUTH}register", {**asked, "username": "CAROL"}, format="json")
    assert problem_of(again, 400, "validation_error")["errors"][0]["code"] == "not_unique"
    for more in ({"is_staff": True}, {"plan": "paid"}, {"is_superuser": True}):
        refused = api.post(f"{AUTH}register", {**asked, "username": "dan", **more}, format="json")
        assert problem_of(refused, 400, "validation_error")["errors"][0]["code"] == "unknown_field"
    made = User.objects.get()
    assert (made.is_staff, made.is_superuser) == (False, False)
    assert log_in(api, name="carol").status_code == 200


def test_the_command_makes_a_token(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_token", "robot", name="ci", scopes="read", days=1)
    token = capsys.readouterr().out.strip()
    assert with_token(token).get("/api/v1/jobs").status_code == 200
    assert not User.objects.get(username="robot").has_usable_password()
