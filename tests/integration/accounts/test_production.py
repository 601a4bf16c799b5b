"""Cookies and headers as a deployment has them, asked of the real settings in a process of their own."""

import json
import sys

import pytest

from tests.production import run
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
