"""A walk of the URLconf: what holds for every address of the API, also for those to come."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver

from tests.integration.api.asking import UNKNOWN_ID, problem_of

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"}
# For people.
PAGES = {"/api/v1/docs"}
ALLOWED = {
    "/api/v1/schema": {"GET", "HEAD"},
    "/api/v1/submit_job": {"POST"},
    f"/api/v1/job/{UNKNOWN_ID}/status": {"GET", "HEAD"},
    "/api/v1/jobs": {"GET", "HEAD", "POST"},
    f"/api/v1/jobs/{UNKNOWN_ID}": {"GET", "HEAD", "DELETE"},
    f"/api/v1/jobs/{UNKNOWN_ID}/cancel": {"POST"},
    f"/api/v1/jobs/{UNKNOWN_ID}/retry": {"POST"},
    f"/api/v1/jobs/{UNKNOWN_ID}/replay": {"POST"},
    f"/api/v1/jobs/{UNKNOWN_ID}/events": {"GET", "HEAD"},
    "/api/v1/jobs/stats": {"GET", "HEAD"},
    "/api/v1/jobs/stats/counts": {"GET", "HEAD"},
    "/api/v1/jobs/health": {"GET", "HEAD"},
    "/api/v1/jobs/types": {"GET", "HEAD"},
    "/api/v1/schedules": {"GET", "HEAD", "POST"},
    f"/api/v1/schedules/{UNKNOWN_ID}": {"GET", "HEAD", "PATCH", "DELETE"},
    f"/api/v1/schedules/{UNKNOWN_ID}/pause": {"POST"},
    f"/api/v1/schedules/{UNKNOWN_ID}/resume": {"POST"},
}


def routes(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    for entry in resolver.url_patterns:
        address = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLResolver):
            yield from routes(entry, address)
        elif address.startswith("/api/") and address not in PAGES:
            yield re.sub(r"<str:\w+_id>", UNKNOWN_ID, address)


def test_every_route_is_in_the_table() -> None:
    assert set(routes(get_resolver())) == set(ALLOWED)


@pytest.mark.parametrize(
    ("path", "method"),
    [(path, method) for path, allowed in ALLOWED.items() for method in sorted(METHODS - allowed)],
)
def test_other_methods(api: Client, path: str, method: str) -> None:
    for address in (path, f"{path}/"):
        response = api.generic(method, address)

        if method == "HEAD":
            assert response.status_code == 405
        else:
            problem_of(response, 405, "method_not_allowed")
        assert set(response["Allow"].split(", ")) == ALLOWED[path]


@pytest.mark.parametrize("path", ALLOWED)
def test_no_page_comes_back(api: Client, path: str) -> None:
    for method in METHODS:
        response = api.generic(method, path, headers={"Accept": "text/html"})

        assert response.status_code in {405, 406}
        assert response["Content-Type"] == "application/problem+json"
