"""How these tests ask the API, and what every answer of it must be."""

import json
from typing import Any

from django.test import Client

from jobs.models import Job

SUBMIT = "/api/v1/submit_job"
VIDEO = {"source_file": "video.mp4", "target_format": "avi", "priority": "high"}
UNKNOWN_ID = "01890a5d-ac96-774b-bcce-b302099a8057"

PROBLEM_KEYS = ["type", "title", "status", "detail", "instance", "code", "errors"]
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def post(api: Client, body: object, content_type: str = "application/json") -> Any:
    """Submit: bytes as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return api.generic("POST", SUBMIT, data, content_type)


def send(api: Client, method: str, path: str, body: object = None) -> Any:
    """Any method; a body as JSON."""
    data = b"" if body is None else json.dumps(body).encode()
    return api.generic(method, path, data, "application/json")


def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document, after checking that it is the one expected and of the right shape."""
    assert response.status_code == status, response.content[:1000]
    assert response["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert list(document)[: len(PROBLEM_KEYS)] == PROBLEM_KEYS
    assert (document["status"], document["code"]) == (status, code)
    assert document["type"] == "about:blank"
    assert document["title"]
    assert document["detail"]
    assert_headers(response)
    return document


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """Like `problem_of`, and no job was made."""
    document = problem_of(response, status, code)
    assert not Job.objects.exists()
    return document


def errors_of(document: dict[str, Any]) -> set[tuple[str | None, str]]:
    """(field, code) of every error; each also says something to people."""
    assert all(list(error) == ["field", "code", "detail"] for error in document["errors"])
    assert all(error["detail"] for error in document["errors"])
    return {(error["field"], error["code"]) for error in document["errors"]}


def assert_headers(response: Any) -> None:
    """What every answer of the API carries."""
    assert {name: response.get(name) for name in HEADERS} == HEADERS
