"""The second factor: how it is got and lost, what it keeps out, and that no code counts twice."""

import logging
import re
import time
from base64 import b32encode, b64decode, b64encode
from collections.abc import Callable
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, RequestFactory
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp import models as totp
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from accounts import backends
from accounts.forgotten import code_for
from accounts.models import App, RecoveryCode, Session, Token
from accounts.sealed import seal
from tests.accounts import PASSWORD, ClientOf
from tests.integration.accounts.test_login import AUTH, log_in, with_token
from tests.integration.api.asking import errors_of, problem_of


class Phone:
    """The user's app, and a clock that stands until it is moved on."""

    def __init__(self) -> None:
        self.now = float(int(time.time()) // 30 * 30)

    def code(self) -> str:
        """Of the next thirty seconds: every one is another."""
        self.now += 30
        return self.code_of_now()

    def code_of_now(self, steps: int = 0) -> str:
        device = App.objects.get()
        made = TOTP(device.bin_key)
        made.time = self.now + 30 * steps
        return f"{made.token():06d}"

    def wrong(self) -> str:
        right = self.code()
        return f"{(int(right) + 1) % 1_000_000:06d}"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Phone:
    """Without the pauses after wrong codes."""
    app = Phone()
    monkeypatch.setattr(totp, "time", SimpleNamespace(time=lambda: app.now))
    settings.OTP_TOTP_THROTTLE_FACTOR = 0
    return app


Enrolled = Callable[[User], list[str]]


@pytest.fixture
def enrol(api: APIClient, app: Phone) -> Enrolled:
    """Switch it on; the recovery codes."""

    def enrol(user: User) -> list[str]:
        client = with_token(log_in(api, name=user.get_username()).json()["token"])
        assert post(client, "me/otp", password=PASSWORD).status_code == 200
        codes: list[str] = post(client, "me/otp/confirm", otp=app.code()).json()["recovery_codes"]
        return codes

    return enrol


def post(client: APIClient, path: str, **body: Any) -> Any:
    return client.post(f"{AUTH}{path}", body, format="json")


def log_in_with(api: APIClient, otp: str, **more: Any) -> Any:
    body = {"username": "alice", "password": PASSWORD, "otp": otp}
    return api.post(f"{AUTH}login", body, format="json", **more)


def test_from_enrolment_on_a_login_takes_a_code(api: APIClient, alice: User, app: Phone) -> None:
    first = with_token(log_in(api).json()["token"])
    other = with_token(log_in(api).json()["token"])
    page = Client()
    page.force_login(alice)
    assert first.get(f"{AUTH}me").json()["second_factor"] is False
    problem_of(post(first, "me/otp", password="wrong"), 401, "wrong_credentials")
    begun = post(first, "me/otp", password=PASSWORD).json()
    assert re.fullmatch(r"[A-Z2-7]{32}", begun["secret"])  # 160 bits
    assert begun["url"].startswith("otpauth://totp/mediaproc%3Aalice?secret=" + begun["secret"])
    # Until it is confirmed nothing has changed.
    assert log_in(api).status_code == 200
    document = problem_of(post(first, "me/otp/confirm", otp=app.wrong()), 400, "validation_error")
    assert errors_of(document) == {("otp", "invalid")}
    codes = post(first, "me/otp/confirm", otp=app.code()).json()["recovery_codes"]
    assert len(set(codes)) == 10
    # What was got without a code ends.
    assert not Token.objects.exists()
    assert {first.get(f"{AUTH}me").status_code, other.get(f"{AUTH}me").status_code} == {401}
    assert page.get(f"{AUTH}me").status_code == 401
    problem_of(log_in(api), 401, "otp_required")
    problem_of(log_in(api, "wrong"), 401, "wrong_credentials")
    assert not Token.objects.exists()
    assert log_in_with(api, app.code()).status_code == 200


def test_a_code_counts_once_and_in_its_own_time(
    api: APIClient, alice: User, app: Phone, enrol: Enrolled
) -> None:
    codes = enrol(alice)
    code = app.code()
    for early_or_late in (app.code_of_now(-2), app.code_of_now(-1), app.code_of_now(1)):
        problem_of(log_in_with(api, early_or_late), 401, "wrong_credentials")
    assert log_in_with(api, code).status_code == 200
    problem_of(log_in_with(api, code), 401, "wrong_credentials")
    assert log_in_with(api, codes[0].upper()).status_code == 200
    problem_of(log_in_with(api, codes[0]), 401, "wrong_credentials")
    assert RecoveryCode.objects.count() == 9
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(digest, ' ') FROM accounts_recoverycode")
        [stored] = cursor.fetchone()
    assert not any(one in stored for one in codes)
    assert len(stored.split()[0]) == 64


def test_wrong_codes_lock_as_wrong_passwords_do(
    api: APIClient, alice: User, app: Phone, enrol: Enrolled, settings: Settings
) -> None:
    enrol(alice)
    for _ in range(4):
        problem_of(log_in_with(api, app.wrong()), 401, "wrong_credentials")
    assert log_in_with(api, app.code()).status_code == 200  # and all is forgotten
    for _ in range(5):
        log_in_with(api, app.wrong())
    problem_of(log_in_with(api, app.code()), 429, "locked")
    # From many addresses: the codes themselves are locked for longer and longer. Nothing else.
    settings.OTP_TOTP_THROTTLE_FACTOR = 60
    problem_of(log_in_with(api, app.wrong(), REMOTE_ADDR="192.0.2.1"), 429, "locked")
    assert int(log_in_with(api, app.code(), REMOTE_ADDR="192.0.2.2")["Retry-After"]) > 60


def test_changes_take_password_and_code(
    api: APIClient, alice: User, app: Phone, enrol: Enrolled
) -> None:
    old = enrol(alice)
    client = with_token(log_in_with(api, app.code()).json()["token"])
    problem_of(post(client, "me/otp", password=PASSWORD, otp=app.code()), 409, "second_factor_on")
    for path in ("me/otp/recovery-codes", "me/otp/remove"):
        problem_of(post(client, path, password=PASSWORD), 401, "otp_required")
        problem_of(post(client, path, password="wrong", otp=app.code()), 401, "wrong_credentials")
    asked = {"current_password": PASSWORD, "new_password": "another long phrase"}
    problem_of(post(client, "me/password", **asked), 401, "otp_required")
    new = post(client, "me/otp/recovery-codes", password=PASSWORD, otp=old[0]).json()
    problem_of(log_in_with(api, old[1]), 401, "wrong_credentials")
    assert post(client, "me/otp/remove", password=PASSWORD, otp=app.code()).status_code == 204
    assert client.get(f"{AUTH}me").status_code == 401
    client = with_token(log_in(api).json()["token"])
    assert not RecoveryCode.objects.exists()
    assert len(new["recovery_codes"]) == 10
    problem_of(post(client, "me/otp/remove", password=PASSWORD), 409, "second_factor_off")
    problem_of(post(client, "me/otp/confirm", otp="123456"), 400, "validation_error")


def test_who_must_have_one_gets_nothing_without(
    api: APIClient, alice: User, staff: User, app: Phone, enrol: Enrolled, settings: Settings
) -> None:
    settings.SECOND_FACTOR = "staff"
    assert log_in(api).json()["scopes"] == ["submit", "read"]
    poor = log_in(api, name="staff").json()
    assert poor["scopes"] == []
    client = with_token(poor["token"])
    problem_of(client.get("/api/v1/jobs"), 403, "second_factor_required")
    more = {"name": "a", "scopes": ["read"]}
    problem_of(client.post(f"{AUTH}me/tokens", more, format="json"), 400, "validation_error")
    asked = {"username": "staff", "password": PASSWORD}
    csrf = api.get(f"{AUTH}session").json()["csrf_token"]
    refused = api.post(f"{AUTH}session", asked, format="json", HTTP_X_CSRFTOKEN=csrf)
    problem_of(refused, 403, "second_factor_required")
    assert "needs a second factor" in admin_says(asked)
    enrol(staff)
    asked["otp"] = app.code()
    answer = api.post(f"{AUTH}session", asked, format="json", HTTP_X_CSRFTOKEN=csrf)
    assert answer.status_code == 200
    settings.SECOND_FACTOR = "everybody"
    assert log_in(api).json()["scopes"] == []


def admin_says(asked: dict[str, str]) -> str:
    return Client().post("/admin/login/", asked).content.decode()


def test_the_admin_asks_for_it_too(staff: User, app: Phone, enrol: Enrolled) -> None:
    asked = {"username": "staff", "password": PASSWORD}
    codes = enrol(staff)
    assert 'name="otp"' in Client().get("/admin/login/").content.decode()
    assert "Give a code too." in admin_says(asked)
    assert "correct" in admin_says({**asked, "otp": app.wrong()})
    page = Client()
    shown = page.get("/admin/login/")
    assert 'type="password"' in shown.content.decode()
    for directive in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in shown["Content-Security-Policy"]
    answer = page.post("/admin/login/?next=https://evil.example/", {**asked, "otp": codes[2]})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/profile/")
    page = Client()
    answer = page.post("/admin/login/?next=/admin/", {**asked, "otp": codes[3]})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert page.get("/admin/").status_code == 200
    before = page.session.session_key
    page.post("/admin/login/", {**asked, "otp": codes[4]})
    assert page.get("/admin/").status_code == 200
    assert page.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
    assert set(Session.objects.values_list("user", flat=True)) == {staff.pk}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM axes_accessattempt WHERE post_data LIKE '%otp=%[0-9]%'"
        )
        assert cursor.fetchone() == (0,)


def test_the_command_sets_it_up_and_takes_a_lost_one_away(
    api: APIClient, alice: User, app: Phone, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("getpass.getpass", lambda _: app.code())
    out = StringIO()
    call_command("second_factor", "alice", stdout=out)
    assert "otpauth://totp/" in out.getvalue()
    problem_of(log_in(api), 401, "otp_required")
    assert log_in_with(api, out.getvalue().splitlines()[-1]).status_code == 200
    call_command("second_factor", "alice", remove=True)
    assert log_in(api).status_code == 200
    changes = [one.msg for one in caplog.records if "second_factor.changed" in str(one.msg)]
    assert [one["kind"] for one in changes] == ["on", "recovery_used", "off"]


def test_secrets_of_apps_are_sealed(
    api: APIClient,
    alice: User,
    bob: User,
    app: Phone,
    enrol: Enrolled,
    settings: Settings,
    caplog: Any,
) -> None:
    codes = enrol(alice)
    device = App.objects.get()
    [stored] = App.objects.values_list("key", flat=True)
    readable = (device.bin_key.hex(), b32encode(device.bin_key).decode())
    assert not any(one in stored for one in readable)
    assert seal(device.bin_key, str(alice.pk)) != stored  # each time another nonce
    # The key changes, and the one before leaves.
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 9
    assert log_in_with(api, app.code()).status_code == 200
    call_command("seal_anew")
    settings.SECRET_KEY_FALLBACKS = []
    assert log_in_with(api, app.code()).status_code == 200
    # Neither another's row, nor a changed one, nor one of a lost key opens. Recovery codes do.
    device = App.objects.get()
    right, code = device.key, app.code()
    flipped = bytearray(b64decode(right))
    flipped[20] ^= 1
    for wrong in (seal(device.bin_key, str(bob.pk)), b64encode(flipped).decode(), "", "a" * 40):
        App.objects.update(key=wrong)
        problem_of(log_in_with(api, code), 401, "wrong_credentials")
    settings.SECRET_KEY = "a third " * 9
    App.objects.update(key=right)
    with pytest.raises(CommandError, match="alice"):
        call_command("seal_anew")
    assert "second_factor.unreadable" in caplog.text
    assert log_in_with(api, codes[0]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_secrets_that_stood_readable_are_sealed(alice: User) -> None:
    call_command("migrate", "accounts", "0002", verbosity=0)
    secret = totp.default_key()
    totp.TOTPDevice.objects.create(user=alice, key=secret)
    call_command("migrate", verbosity=0)
    assert App.objects.get().bin_key.hex() == secret
    call_command("migrate", "accounts", "0002", verbosity=0)
    assert totp.TOTPDevice.objects.get().key == secret
    call_command("migrate", verbosity=0)


def test_no_way_in_passes_by(
    api: APIClient, alice: User, enrol: Enrolled, settings: Settings
) -> None:
    enrol(alice)
    asked = {
        "username": "alice",
        "code": code_for(User.objects.get()),
        "new_password": "another long passphrase",
    }
    assert post(api, "password/reset/confirm", **asked).status_code == 204
    problem_of(log_in(api, "another long passphrase"), 401, "otp_required")
    assert settings.AUTHENTICATION_BACKENDS == [
        "axes.backends.AxesStandaloneBackend",  # which lets nobody in
        "accounts.backends.PasswordAndCode",
    ]
    with pytest.raises(backends.CodeWanted):
        authenticate(
            RequestFactory().get("/"), username="alice", password="another long passphrase"
        )


def test_a_client_of_programs_needs_none(alice: User, enrol: Enrolled, client_of: ClientOf) -> None:
    enrol(alice)
    assert client_of(alice).get("/api/v1/jobs").status_code == 200
