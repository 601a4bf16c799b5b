"""Forgotten passwords, notices by mail, which passwords will do, sessions that end, and the log."""

import logging
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from accounts import forgotten, sessions
from accounts.api import recent_login
from accounts.models import Notice, Session, Token
from jobs.models import Job
from jobs.testing import work_off
from tests.accounts import PASSWORD, ClientOf
from tests.integration.accounts.test_login import AUTH, log_in, with_token
from tests.integration.api.asking import errors_of, problem_of
from tests.service import free_port
from tests.smtp_server import Mailbox

NEW = "another long passphrase"


pytestmark = pytest.mark.usefixtures("mailbox")


def ask(api: APIClient, address: str) -> Any:
    return api.post(f"{AUTH}password/reset", {"email": address}, format="json")


def confirm(api: APIClient, code: str, password: str = NEW, name: str = "alice") -> Any:
    asked = {"username": name, "code": code, "new_password": password}
    return api.post(f"{AUTH}password/reset/confirm", asked, format="json")


def newest(mailbox: Mailbox) -> tuple[list[str], str]:
    """To whom the last mail went, and what it says."""
    recipients, message = mailbox.taken[-1]
    return recipients, str(message.get_content())


def test_a_forgotten_password(
    api: APIClient,
    alice: User,
    client_of: ClientOf,
    caplog: pytest.LogCaptureFixture,
    mailbox: Mailbox,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "mail.log")  # the mail server's own, of all that it takes
    client, page = client_of(alice), Client()
    page.force_login(alice)
    assert ask(api, "ALICE@example.org").status_code == 202
    work_off()
    recipients, text = newest(mailbox)
    assert recipients == ["alice@example.org"]
    [code] = re.findall(r'"code": "(.+?)"', text)
    problem_of(confirm(api, "x-y"), 400, "validation_error")
    document = problem_of(confirm(api, code, "short"), 400, "validation_error")
    assert ("new_password", "password_too_short") in errors_of(document)
    assert confirm(api, code).status_code == 204
    problem_of(confirm(api, code, PASSWORD), 400, "validation_error")  # it was used
    assert {client.get(f"{AUTH}me").status_code, page.get(f"{AUTH}me").status_code} == {401}
    assert log_in(api, NEW).status_code == 200
    work_off()
    assert "was set" in newest(mailbox)[1]
    # Neither the code nor a password is anywhere else.
    for secret in (code, NEW):
        assert secret not in caplog.text
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names():
                found = f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s'  # noqa: S608
                cursor.execute(found, [f"%{secret}%"])
                assert (table, cursor.fetchone()) == (table, (0,))


def test_nobody_learns_who_has_an_account(
    api: APIClient, alice: User, settings: Settings, mailbox: Mailbox
) -> None:
    known, unknown = ask(api, "alice@example.org"), ask(api, "nobody@example.org")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    # What is done before the answer is the same, and so is what can be seen of the jobs.
    jobs = Job.objects.values("job_type", "priority", "owner", "name", "metadata")
    assert len(jobs) == 2
    assert jobs[0] == jobs[1]
    User.objects.filter(pk=alice.pk).update(is_active=False)
    work_off()
    assert mailbox.taken == []
    assert not Notice.objects.exists()
    assert set(Job.objects.values_list("status", flat=True)) == {"COMPLETED"}
    settings.EMAIL_HOST = ""
    problem_of(ask(api, "alice@example.org"), 403, "no_mail_server")


def test_a_code_is_of_its_purpose_and_ends(api: APIClient, alice: User, settings: Settings) -> None:
    problem_of(confirm(api, default_token_generator.make_token(alice)), 400, "validation_error")
    code = forgotten.code_for(alice)
    problem_of(confirm(api, code, name="nobody"), 400, "validation_error")
    log_in(api)
    problem_of(confirm(api, code), 400, "validation_error")  # he remembered
    alice.refresh_from_db()
    code = forgotten.code_for(alice)
    settings.PASSWORD_RESET_TIMEOUT = -1
    problem_of(confirm(api, code), 400, "validation_error")


def test_resets_are_few(api: APIClient, alice: User) -> None:
    answers = [ask(api, "alice@example.org") for _ in range(3)]  # at most one more minute
    problem_of(answers[-1], 429, "throttled")
    answers = [confirm(api, "x-y") for _ in range(21)]
    problem_of(answers[-1], 429, "throttled")


def test_a_mail_server_that_is_away_is_asked_again(
    alice: User, settings: Settings, mailbox: Mailbox
) -> None:
    settings.EMAIL_PORT = free_port()
    alice.set_password(NEW)
    alice.save()
    work_off()
    assert Notice.objects.count() == 1
    settings.EMAIL_PORT = mailbox.port
    work_off(early=True)
    assert newest(mailbox)[0] == ["alice@example.org"]
    assert len(mailbox.taken) == 1
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("mediaproc2026", "password_too_obvious"),
        ("Transcode-Webhook", "password_too_obvious"),
        ("sunshine1234", "password_too_common"),
        ("!!!Password!!!", "password_too_common"),
        ("123456789012", "password_too_common"),
        ("x9!sunshine", "password_too_common"),
        ("footballfootball", "password_too_common"),
        ("alice@example.org", "password_too_similar"),
        ("elevenchars", "password_too_short"),
    ],
)
def test_passwords_that_will_not_do(alice: User, password: str, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_password(password, alice)
    assert code in {one.code for one in refused.value.error_list}


@pytest.mark.parametrize(
    "password",
    [
        "x" * 3 + "\u00e4\u4e2d " * 30,
        "8302 7745 1966",
        "onlylowercaseletters",
        "mediaproc and nine horses",
    ],
)
def test_passwords_of_any_composition(alice: User, password: str) -> None:
    validate_password(password, alice)


def test_sessions_end_without_use_and_after_all(
    alice: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    page = Client()
    page.force_login(alice)
    session = Session.objects.get()
    assert session.user_id == alice.pk
    assert abs(session.expire_date - timezone.now() - timedelta(hours=1)) < timedelta(minutes=5)
    Session.objects.update(expire_date=timezone.now() + timedelta(minutes=9))
    assert page.get(f"{AUTH}me").status_code == 200
    assert Session.objects.get().expire_date > timezone.now() + timedelta(minutes=30)
    Session.objects.update(expire_date=timezone.now() + timedelta(minutes=9))
    later = sessions.began(session.get_decoded()).timestamp() + 11.75 * 3600
    monkeypatch.setattr(sessions, "time", SimpleNamespace(time=lambda: later))
    page.get(f"{AUTH}me")
    left = Session.objects.get().expire_date - timezone.now()
    assert timedelta(minutes=10) < left <= timedelta(minutes=15)
    Session.objects.update(expire_date=timezone.now())
    assert page.get(f"{AUTH}me").status_code == 401


def test_sessions_are_listed_and_ended(alice: User, staff: User, client_of: ClientOf) -> None:
    here, there, theirs = Client(), Client(), Client()
    for page, user in ((here, alice), (there, alice), (theirs, staff)):
        page.force_login(user)
    listed = here.get(f"{AUTH}me/sessions").json()["results"]
    assert sorted(one["current"] for one in listed) == [False, True]
    assert str(there.session.session_key) not in str(listed)
    [other] = [one["id"] for one in listed if not one["current"]]
    assert theirs.delete(f"{AUTH}me/sessions/{other}").status_code == 404
    assert here.delete(f"{AUTH}me/sessions/{other}").status_code == 204
    assert there.get(f"{AUTH}me").status_code == 401
    client = client_of(alice)
    answer = here.post(f"{AUTH}logoutall")
    assert answer.status_code == 204
    assert answer["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert here.get(f"{AUTH}me").status_code == client.get(f"{AUTH}me").status_code == 401
    # Staff ends everything of somebody else.
    User.objects.filter(pk=staff.pk).update(is_superuser=True)
    there.force_login(alice)
    client = client_of(alice)
    action = {"action": "end_tokens_and_sessions", "_selected_action": [alice.pk]}
    assert theirs.post("/admin/auth/user/", action).status_code == 302
    assert there.get(f"{AUTH}me").status_code == client.get(f"{AUTH}me").status_code == 401
    assert theirs.get(f"{AUTH}me").status_code == 200


def test_to_end_the_others_takes_a_recent_login(
    api: APIClient, alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a page nor a login's token that lies open ends what the owner has elsewhere."""
    page, other = Client(), Client()
    for one in (page, other):
        assert enter(one).status_code == 200
    [there] = [
        one["id"] for one in page.get(f"{AUTH}me/sessions").json()["results"] if not one["current"]
    ]
    named = with_token(log_in(api).json()["token"])
    Token.objects.create(alice, scopes=["read"], name="laptop")
    [laptop] = Token.objects.filter(name="laptop")
    ends = [
        ("delete", f"me/sessions/{there}"),
        ("delete", f"me/tokens/{laptop.id}"),
        ("post", "logoutall"),
    ]
    long_ago = timezone.now() + timedelta(minutes=settings.RECENT_LOGIN_MINUTES, seconds=1)
    with monkeypatch.context() as later:
        later.setattr(recent_login, "timezone", SimpleNamespace(now=lambda: long_ago))
        for client in (page, named):
            for method, path in ends:
                problem_of(getattr(client, method)(f"{AUTH}{path}"), 403, "login_again")
            assert client.get(f"{AUTH}me/tokens").status_code == 200
        # To leave takes nothing.
        assert named.post(f"{AUTH}logout").status_code == 204
    # A page that logs in again is a new login, also in the session that it has.
    session = page.session
    session["began"] -= settings.RECENT_LOGIN_MINUTES * 60 + 1
    session.save()
    problem_of(page.post(f"{AUTH}logoutall"), 403, "login_again")
    assert enter(page).status_code == 200
    assert page.session.session_key != session.session_key
    assert Session.objects.count() == 2
    for method, path in ends:
        assert getattr(page, method)(f"{AUTH}{path}").status_code == 204
    assert not Token.objects.exists()
    assert not Session.objects.exists()


def enter(page: Client) -> Any:
    csrf = page.get(f"{AUTH}session").json()["csrf_token"]
    asked = {"username": "alice", "password": PASSWORD}
    return page.post(f"{AUTH}session", asked, "application/json", headers={"X-CSRFToken": csrf})


def test_what_happens_to_an_account_is_logged(
    api: APIClient, alice: User, staff: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client = with_token(log_in(api).json()["token"])
    made = client.post(f"{AUTH}me/tokens", {"name": "a", "scopes": ["read"]}, format="json").json()
    client.delete(f"{AUTH}me/tokens/{made['id']}")
    asked = {"current_password": PASSWORD, "new_password": NEW}
    client.post(f"{AUTH}me/password", asked, format="json")
    Client().post("/admin/login/", {"username": "staff", "password": PASSWORD})
    for _ in range(6):
        Client().post("/admin/login/", {"username": "staff", "password": "a wrong one"})
    log_in(api, "wrong", "staff")
    told: list[Any] = [one.msg for one in caplog.records if isinstance(one.msg, dict)]
    told = [one for one in told if one["logger"].startswith("accounts.")]
    events = [one["event"] for one in told]
    assert events[:8] == [
        "token.made", "login.done", "token.made", "token.ended", "token.ended", "password.set",
        "logout.done", "login.done",
    ]  # fmt: skip
    assert {"login.failed", "login.locked"} <= set(events[8:])
    assert all(one["request_id"] and one["timestamp"].endswith("Z") for one in told)
    assert {one["user"] for one in told[:6]} == {alice.pk}
    for secret in (PASSWORD, NEW, "a wrong one", made["token"]):
        assert secret not in caplog.text
    assert Token.objects.count() == 0
