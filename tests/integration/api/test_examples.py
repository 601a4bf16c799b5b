"""The examples of the OpenAPI document: each is sent, and answered as it says."""

import json
import re
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Token
from accounts.scopes import READ, SUBMIT, WORK
from tests.accounts import ClientOf

# The order matters: a job is made, then looked at, then leased.
EXAMPLES = (
    "login", "submit_job", "job_status", "lease_jobs", "post_jobs", "get_jobs", "job_batches",
    "post_schedules", "otp", "password_reset",
)  # fmt: skip
# What no two answers have the same: ids, moments, tokens, leases, signed keys.
_NEW = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|mp_[0-9a-f]{64}"
    r"|[A-Z2-7]{32}"
    r'|(?<="lease": ")[^"]+|(?<=\?key=)[^"]+'
)


def _known(answer: Any) -> str:
    return _NEW.sub("...", json.dumps(answer, sort_keys=True))


def _documented(api: APIClient) -> dict[str, tuple[str, str, Any, int, Any]]:
    """By operation: method, path, body, status, answer."""
    headers = {"Accept": "application/vnd.oai.openapi+json"}
    document = api.get("/api/v1/schema", headers=headers).json()
    found = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            body = content.get("application/json", {}).get("example")
            for status, answer in operation["responses"].items():
                told = answer.get("content", {}).get("application/json", {}).get("example")
                if told is not None:
                    found[operation["operationId"]] = (method, path, body, int(status), told)
    return found


def test_every_example_is_answered_so(
    alice: User, client_of: ClientOf, media_root: Path, settings: Settings
) -> None:
    settings.JOB_LEASE_SECONDS = 30
    settings.EMAIL_HOST = "mail.example.org"
    for name in ("video", "a", "b"):
        (media_root / "sources" / f"{name}.mp4").write_bytes(b"film")
    client = client_of(alice, scopes=[SUBMIT, READ, WORK])
    Token.objects.update(lives_on=True)  # as that of a login
    documented = _documented(client)
    assert sorted(documented) == sorted(EXAMPLES)
    job_id = ""

    for operation in EXAMPLES:
        method, path, body, status, told = documented[operation]
        address = path.replace("{job_id}", job_id)
        answer = client.generic(method.upper(), address, json.dumps(body or {}), "application/json")
        assert answer.status_code == status, (operation, answer.content)
        assert _known(answer.json()) == _known(told), operation
        job_id = answer.json().get("job_id", job_id)
