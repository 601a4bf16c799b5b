"""A walk of the URLconf: what holds for every address of the API, also for those to come."""

import re

import pytest
from django.test import Client

from tests.integration.api.asking import UNKNOWN_ID, problem_of
from tests.integration.api.routes import ROUTES

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"}
ALLOWED = {
    "/api/v1/" + re.sub("<str:[^>]+>", UNKNOWN_ID, route): set(methods)
    for route, methods in ROUTES.items()
}


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
