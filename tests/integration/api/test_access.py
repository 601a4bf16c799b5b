"""Who gets in where: every route and method of the URLconf, as everybody."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.urls import URLResolver, get_resolver
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from accounts.models import Token
from tests.accounts import user_named
from tests.integration.api.routes import BODIES, BODILESS, OBJECTS, ROUTES, SEEN, WHO

PREFIX = "/api/v1/"
EVERY = [(route, method) for route, methods in ROUTES.items() for method in methods]
WITH_BODY = [
    (route, method)
    for route, method in EVERY
    if method in {"POST", "PATCH", "PUT"} and route not in BODILESS
]


def routes(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    for entry in resolver.url_patterns:
        address = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLResolver):
            yield from routes(entry, address)
        elif address.startswith("/api/"):
            yield address


def test_every_route_is_in_the_table() -> None:
    operations = set(routes(get_resolver())) - {f"{PREFIX}docs"}  # a page, for everybody
    assert operations == {f"{PREFIX}{route}" for route in ROUTES}


@pytest.fixture
def clients(alice: User, bob: User, staff: User) -> dict[str, APIClient]:
    """One of each."""
    every = ["submit", "read", "work", "admin"]
    inactive = user_named("inactive")
    tokens: dict[str, Any] = {
        "other": Token.objects.create(bob, scopes=every, lives_on=True),
        "owner": Token.objects.create(alice, scopes=["submit", "read"], lives_on=True),
        "reader": Token.objects.create(alice, scopes=["read"]),
        "worker": Token.objects.create(alice, scopes=["work"]),
        "staff": Token.objects.create(staff, scopes=every, lives_on=True),
        "inactive": Token.objects.create(inactive, scopes=every, lives_on=True),
    }
    User.objects.filter(pk=inactive.pk).update(is_active=False)
    clients = {}
    for who in WHO:
        clients[who] = APIClient(raise_request_exception=False)
        if who in tokens:
            clients[who].credentials(HTTP_AUTHORIZATION=f"Token {tokens[who][1]}")
    return clients


def address(route: str, owner: User) -> str:
    return PREFIX + re.sub("<[^>]+>", lambda found: OBJECTS[found[0]](owner), route)


def ask(client: APIClient, method: str, path: str, body: object) -> Any:
    if method in {"GET", "HEAD"}:
        return client.generic(method, path)
    return client.generic(method, path, json.dumps(body), "application/json")


def verdict(client: APIClient, method: str, path: str, body: object) -> str:
    """`in`, or the status that keeps the client out. Nothing that it does stays."""
    with transaction.atomic():
        response = ask(client, method, path, body)
        transaction.set_rollback(True)
    status = response.status_code
    assert status < 500, (path, response.content)
    if status >= 400 and method != "HEAD":
        assert response["Content-Type"] == "application/problem+json"
    if status == 401:
        assert response["WWW-Authenticate"] == "Token"
    return str(status) if status in {401, 403, 404, 405, 429} else "in"


def test_access(clients: dict[str, APIClient], alice: User, settings: Settings) -> None:
    settings.ALLOW_REGISTRATION = True
    settings.EMAIL_HOST = "mail.example.org"
    found: dict[tuple[str, str], dict[str, str]] = {}
    for route, method in EVERY:
        with transaction.atomic():
            path = address(route, alice)
            for who, client in clients.items():
                settings.ALLOW_ANONYMOUS = who == "anybody"
                said = verdict(client, method, path, BODIES.get(route, {}))
                found.setdefault((route, method), {})[who] = said
            transaction.set_rollback(True)
    assert found == {(route, method): SEEN[ROUTES[route][method]] for route, method in EVERY}


def test_bodies_that_nobody_takes(
    clients: dict[str, APIClient], alice: User, settings: Settings
) -> None:
    settings.ALLOW_REGISTRATION = True
    settings.EMAIL_HOST = "mail.example.org"
    settings.BATCH_MAX_MB = 1
    for route, method in WITH_BODY:
        client = clients["owner" if "own" in ROUTES[route][method] else "staff"]
        with transaction.atomic():
            path = address(route, alice)
            for data, content_type, status in (
                ("<job/>", "text/xml", 415),
                ("a=b", "application/x-www-form-urlencoded", 415),
                (json.dumps({"name": "x" * 1_100_000}), "application/json", 413),
                ("[" * 100_000, "application/json", 400),
            ):
                response = client.generic(method, path, data, content_type)
                assert (route, response.status_code) == (route, status)
                assert response["Content-Type"] == "application/problem+json"
            transaction.set_rollback(True)


@pytest.mark.parametrize("token", ["mp_nothing", "mp_\u00e9", "mp_\0", "", "a b c", "x" * 5000])
def test_tokens_that_are_none(db: None, token: str) -> None:
    client = APIClient(raise_request_exception=False)
    response = client.get(f"{PREFIX}jobs", HTTP_AUTHORIZATION=f"Token {token}")
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
