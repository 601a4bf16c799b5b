"""The OpenAPI document says what is there, and its page loads nothing from elsewhere."""

import re
from html.parser import HTMLParser
from typing import Any

import yaml
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import URLResolver, get_resolver, resolve

from tests.production import manage

SCHEMA = "/api/v1/schema"
METHODS = {"get", "post", "put", "patch", "delete"}
# Of the document itself.
NOT_DOCUMENTED = {("get", SCHEMA)}
# They make nothing, or what they do again is nothing more; what auth/ makes is a credential.
WITHOUT_A_KEY = {
    "jobs/batch/{batch_id}/cancel",
    "jobs/lease",
    "jobs/retry",
    "jobs/{job_id}/cancel",
    "jobs/{job_id}/complete",
    "jobs/{job_id}/fail",
    "jobs/{job_id}/output/link",
    "jobs/{job_id}/progress",
    "jobs/{job_id}/release",
    "jobs/{job_id}/retry",
    "pools/{pool}/pause",
    "pools/{pool}/resume",
    "schedules/{schedule_id}/pause",
    "schedules/{schedule_id}/resume",
}


def _served(resolver: URLResolver, prefix: str = "/") -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for entry in resolver.url_patterns:
        address = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLResolver):
            found |= _served(entry, address)
        elif address.startswith("/api/"):
            view: Any = getattr(entry.callback, "cls", None)
            for method in METHODS & set(getattr(view, "http_method_names", ())):
                if hasattr(view, method):
                    found.add((method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address)))
    return found


def test_the_document_is_valid_and_has_no_warning() -> None:
    finished = manage("spectacular", "--validate", "--fail-on-warn")

    assert finished.returncode == 0, finished.stderr
    assert yaml.safe_load(finished.stdout)["openapi"].startswith("3.")


def test_every_operation_is_documented_and_served(api: Client) -> None:
    document = api.get(SCHEMA, headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    documented = {(method, path) for path, one in document["paths"].items() for method in one}

    assert documented | NOT_DOCUMENTED == _served(get_resolver())
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert {"400", "401", "403", "404", "429", "500"} <= set(operation["responses"])
            assert operation["summary"], (method, path)


def test_every_post_takes_an_idempotency_key_or_is_known_not_to(api: Client) -> None:
    document = api.get(SCHEMA, headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    posts = {path: one["post"] for path, one in document["paths"].items() if "post" in one}
    without = {
        path.removeprefix("/api/v1/")
        for path, operation in posts.items()
        if not any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ()))
    }
    assert {path for path in without if not path.startswith("auth/")} == WITHOUT_A_KEY
    for path, operation in posts.items():
        view: Any = resolve(path.replace("{", "").replace("}", "")).func.cls  # type: ignore[attr-defined]
        keeps = any("idempotency.py" in code for code in _wrapped_in(view.post))
        assert keeps == (path.removeprefix("/api/v1/") not in without), operation["operationId"]


def _wrapped_in(function: Any) -> list[str]:
    """The files of a decorated function's wrappers, and its own."""
    files = []
    while function is not None:
        files.append(function.__code__.co_filename)
        function = getattr(function, "__wrapped__", None)
    return files


def test_the_document_as_yaml(api: Client) -> None:
    response = api.get(SCHEMA, headers={"Accept": "application/vnd.oai.openapi"})

    assert yaml.safe_load(response.content)["info"]["title"] == "mediaproc"


class _Page(HTMLParser):
    """What a page loads, and whether it has code or style of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.loads += [str(values[name]) for name in ("src", "href") if name in values]
        self.inline += [name for name in values if name.startswith("on") or name == "style"]
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside in {"script", "style"} and data.strip():
            self.inline.append(data)


def test_the_page_is_offline_under_a_strict_policy(api: Client) -> None:
    response = api.get("/api/v1/docs")
    page = _Page()
    page.feed(response.content.decode())

    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.inline == []
    assert len(page.loads) == 4
    for address in page.loads:
        assert address.startswith("/static/")
        assert finders.find(address.removeprefix("/static/")), address
