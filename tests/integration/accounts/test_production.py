"""What a deployment has without a setting of its own: the real ones, in a process of their own."""

import json
import sys
from pathlib import Path

import pytest

from tests.production import in_files, manage, run
from tests.workers import database_url

ASK = """
import json, django
django.setup()
from django.test import Client
from django.conf import settings
client = Client()
answer = client.get("/api/v1/auth/session", secure=True, headers={"host": "media.example.org"})
plain = client.get("/api/v1/auth/session", headers={"host": "media.example.org"})
closed = client.get("/api/v1/jobs", secure=True, headers={"host": "media.example.org"})
print(json.dumps({
    "cookies": {name: dict(one) for name, one in answer.cookies.items()},
    "headers": dict(answer.headers),
    "statuses": [answer.status_code, plain.status_code, closed.status_code],
    "session": [settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE,
                settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE,
                settings.SESSION_COOKIE_DOMAIN, settings.SESSION_COOKIE_PATH],
}))
"""


@pytest.mark.django_db(transaction=True)
def test_cookies_and_headers_of_production() -> None:
    values = {"DJANGO_SETTINGS_MODULE": "mediaproc.settings", "DATABASE_URL": database_url()}
    finished = run(sys.executable, "-c", ASK, values=values)
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout.splitlines()[-1])
    assert found["statuses"] == [200, 403, 401]
    assert found["session"] == ["__Host-sessionid", True, True, "Lax", None, "/"]
    cookie = found["cookies"]["__Host-csrftoken"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    headers = found["headers"]
    assert "max-age=31536000" in headers["Strict-Transport-Security"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


# The clock stands, so that a code is good whenever it comes.
ENROL = """
import json, django
from base64 import b32decode
from types import SimpleNamespace
django.setup()
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp import models
now = 1_800_000_000
models.time = SimpleNamespace(time=lambda: now)
proof = {"username": "carol", "password": "a long enough passphrase"}
User.objects.create_superuser(**proof)

def ask(path, token="", **body):
    headers = {"host": "media.example.org"} | ({"authorization": f"Token {token}"} if token else {})
    address = f"/api/v1/{path}"
    if not body:
        return Client().get(address, secure=True, headers=headers)
    return Client().post(address, body, "application/json", secure=True, headers=headers)

def code():
    made = TOTP(b32decode(begun["secret"]))
    made.time = now
    return f"{made.token():06d}"

def page():
    asked = proof | {"next": "/admin/"}
    headers = {"host": "media.example.org"}
    return Client().post("/admin/login/", asked, secure=True, headers=headers).content.decode()

poor = ask("auth/login", **proof).json()
closed = ask("jobs", poor["token"])
refused = page()
begun = ask("auth/me/otp", poor["token"], password=proof["password"]).json()
confirmed = ask("auth/me/otp/confirm", poor["token"], otp=code())
without = ask("auth/login", **proof)
now += 30
rich = ask("auth/login", **proof, otp=confirmed.json()["recovery_codes"][0]).json()
print(json.dumps({
    "poor": poor["scopes"], "closed": [closed.status_code, closed.json()["code"]],
    "admin": "needs a second factor" in refused, "confirmed": confirmed.status_code,
    "without": without.json()["code"], "rich": rich["scopes"],
    "open": ask("jobs", rich["token"]).status_code,
}))
"""


@pytest.mark.django_db(transaction=True)
def test_a_new_deployment_demands_a_second_factor_of_everybody() -> None:
    values = {"DJANGO_SETTINGS_MODULE": "mediaproc.settings", "DATABASE_URL": database_url()}
    finished = run(sys.executable, "-c", ENROL, values=values)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout.splitlines()[-1]) == {
        "poor": [],
        "closed": [403, "second_factor_required"],
        "admin": True,
        "confirmed": 200,
        "without": "otp_required",
        "rich": ["submit", "read"],
        "open": 200,
    }


@pytest.mark.parametrize("said", ["staff", "nobody"])
def test_a_deployment_is_told_that_it_demands_less(said: str, tmp_path: Path) -> None:
    key = in_files(tmp_path, SECRET_KEY="k" * 50)
    assert "accounts.W001" not in manage("check", "--deploy", **key).stderr
    told = manage("check", "--deploy", SECOND_FACTOR=said, **key).stderr
    assert f"(accounts.W001) SECOND_FACTOR is '{said}'" in told
