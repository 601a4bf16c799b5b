"""Every error under /api/ is a problem document, whoever raises it, with DEBUG and without."""

import pytest
from django.test import Client
from pytest_django import Settings

from tests.integration.api.asking import assert_headers, problem_of

BROKEN = pytest.mark.urls("tests.integration.api.broken_urls")


@pytest.fixture(params=[False, True], ids=["production", "debug"], autouse=True)
def _debug(request: pytest.FixtureRequest, settings: Settings) -> None:
    settings.DEBUG = request.param


@BROKEN
@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("unforeseen", 500, "server_error"),
        ("data", 400, "invalid_value"),
        ("recursion", 400, "invalid_value"),
        ("unicode", 400, "invalid_value"),
        ("operational", 503, "database_unavailable"),
        ("interface", 503, "database_unavailable"),
        ("too_big", 413, "body_too_large"),
        ("denied", 403, "permission_denied"),
        ("missing", 404, "not_found"),
        ("suspicious", 400, "bad_request"),
        ("throttled", 429, "throttled"),
        ("anonymous", 401, "not_authenticated"),
    ],
)
def test_raised_in_a_view(api: Client, name: str, status: int, code: str) -> None:
    document = problem_of(api.get(f"/api/v1/view/{name}"), status, code)

    assert document["instance"] == f"/api/v1/view/{name}"
    assert "secret" not in str(document)
    assert "syntax" not in str(document)


@BROKEN
@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("unforeseen", 500, "server_error"),
        ("denied", 403, "permission_denied"),
        ("missing", 404, "not_found"),
        ("suspicious", 400, "bad_request"),
    ],
)
def test_raised_outside_of_rest_framework(api: Client, name: str, status: int, code: str) -> None:
    problem_of(api.get(f"/api/v1/plain/{name}"), status, code)


@BROKEN
@pytest.mark.parametrize("name", ["operational", "throttled"])
def test_retry_after(api: Client, name: str) -> None:
    assert int(api.get(f"/api/v1/view/{name}")["Retry-After"]) > 0


@BROKEN
def test_csrf(settings: Settings) -> None:
    strict = Client(enforce_csrf_checks=True)

    problem_of(strict.post("/api/v1/protected"), 403, "permission_denied")


@BROKEN
@pytest.mark.parametrize("status", [410, 418, 451, 502])
def test_pages_of_others(api: Client, status: int) -> None:
    problem_of(api.get(f"/api/v1/bare/{status}"), status, "error")


@BROKEN
@pytest.mark.parametrize(
    ("name", "status"),
    [("unforeseen", 500), ("denied", 403), ("missing", 404), ("suspicious", 400)],
)
def test_elsewhere_people_get_pages(api: Client, name: str, status: int) -> None:
    response = api.get(f"/elsewhere/{name}")

    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    assert "Content-Security-Policy" not in response.headers


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v1/submit_job//", "/api/v2/x"]
)
def test_unknown_addresses(api: Client, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "BREW"):
        document = problem_of(api.generic(method, path), 404, "not_found")

        assert document["instance"] == path


@pytest.mark.parametrize("host", ["evil.example", "localhost:port", "a b", "", "[::", "x" * 300])
def test_bad_host(api: Client, host: str) -> None:
    response = api.get("/api/v1/jobs/health", headers={"Host": host})

    document = problem_of(response, 400, "bad_host")
    assert not host or host not in document["detail"]


def test_plain_http_is_refused_where_https_is_wanted(api: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True

    problem_of(api.post("/api/v1/submit_job", "{}", "application/json"), 403, "https_required")
    problem_of(api.get("/api/v1/nothing"), 403, "https_required")
    problem_of(api.get("/api/v1/nothing", secure=True), 404, "not_found")


@pytest.mark.django_db
def test_headers_of_answers_that_are_no_errors(api: Client) -> None:
    body = {"source_file": "a.mp4", "target_format": "avi"}

    assert_headers(api.post("/api/v1/submit_job", body, content_type="application/json"))
