"""What the fuzzer found once, and no other test would find again."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Token
from accounts.scopes import ADMIN, READ, SUBMIT
from jobs.models import Job
from jobs.states import Status
from tests.accounts import ClientOf
from tests.integration.accounts.test_login import log_in, with_token
from tests.integration.api.asking import errors_of, problem_of
from tests.rows import job_in
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db

API = "/api/v1/"
HOOK = {"url": "http://127.0.0.1:9/hook"}


@pytest.fixture(autouse=True)
def _receivers_are_here(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True


def refused_for(response: Any) -> set[tuple[str | None, str]]:
    return errors_of(problem_of(response, 400, "validation_error"))


def test_a_list_that_says_the_same_again_and_again_is_too_long(alice: User) -> None:
    """It was made a set before it was measured."""
    client = with_token(log_in(APIClient()).json()["token"])
    for path, body, field in (
        ("auth/me/tokens", {"name": "laptop", "scopes": [READ] * 50}, "scopes"),
        ("webhooks", {**HOOK, "events": ["job.failed"] * 50}, "events"),
    ):
        assert refused_for(client.post(f"{API}{path}", body, "json")) == {(field, "max_length")}
    assert (Token.objects.count(), Endpoint.objects.count()) == (1, 0)  # that of the login
    twice = {"name": "laptop", "scopes": [READ, SUBMIT, READ]}
    made = client.post(f"{API}auth/me/tokens", twice, "json").json()
    assert made["scopes"] == [SUBMIT, READ]


@pytest.mark.parametrize("given", [False, 0, 7])
def test_what_is_no_text_is_no_id(staff: User, client_of: ClientOf, given: object) -> None:
    """REST framework takes numbers for UUIDs, and false for 0."""
    job_in(Status.FAILED)
    client = client_of(staff, [ADMIN, SUBMIT, READ])
    for path in ("jobs/retry", "jobs/replay"):
        [(field, code)] = refused_for(client.post(f"{API}{path}", {"ids": [given]}, "json"))
        assert (str(field).partition(".")[0], code) == ("ids", "invalid")
    assert Job.objects.get().status == Status.FAILED


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_method_that_a_login_does_not_have_wants_no_csrf_token(method: str) -> None:
    client = Client(enforce_csrf_checks=True)
    problem_of(client.generic(method, f"{API}auth/session"), 405, "method_not_allowed")
    problem_of(client.post(f"{API}auth/session"), 403, "permission_denied")


@pytest.mark.parametrize("given", [0, 1, "true", "off"])
def test_flags_are_true_or_false(
    alice: User, client_of: ClientOf, api: APIClient, given: object
) -> None:
    """REST framework takes many words for them."""
    client = client_of(alice)
    schedule = {"name": "n", "cron": "0 2 * * *", "source_file": "a.mp4", "target_format": "avi"}
    assert refused_for(client.post(f"{API}schedules", {**schedule, "paused": given}, "json")) == {
        ("paused", "invalid")
    }
    address = client.post(f"{API}webhooks", HOOK, "json")["Location"]
    assert refused_for(client.patch(address, {"enabled": given}, "json")) == {
        ("enabled", "invalid")
    }
    since = {"since": "2026-01-01T00:00:00Z", "delivered": given}
    assert refused_for(client.post(f"{address}/replay", since, "json")) == {
        ("delivered", "invalid")
    }


def test_the_document_says_what_may_be_null_and_what_is_too_little(
    api: APIClient, alice: User, client_of: ClientOf
) -> None:
    document = api.get(
        f"{API}schema", headers={"Accept": "application/vnd.oai.openapi+json"}
    ).json()
    schemas = document["components"]["schemas"]

    def nullable(schema: str) -> set[str]:
        members = schemas[schema]["properties"].items()
        return {name for name, member in members if member.get("nullable")}

    client = client_of(alice)
    made = client.post(f"{API}webhooks", HOOK, "json")
    empty = {name for name, value in made.json().items() if value is None}
    assert empty
    assert empty <= nullable("EndpointWithSecret")
    sent = client.post(f"{made['Location']}/test").json()
    empty = {name for name, value in sent.items() if value is None}
    assert empty
    assert empty <= nullable("Delivery")
    assert {"endpoint", "job"} <= nullable("Delivery")
    assert nullable("CallbackSecretAnswer") == {"old_secret_until"}
    assert schemas["RegisterRequest"]["properties"]["password"]["minLength"] > 1
    assert schemas["NewPasswordRequest"]["properties"]["new_password"]["minLength"] > 1
    for path in ("jobs/batch", "jobs/retry", "jobs/replay"):
        assert document["paths"][f"{API}{path}"]["post"]["requestBody"]["required"]
    batch = document["paths"][f"{API}jobs/batch"]["post"]["requestBody"]["content"]
    assert batch["application/json"]["schema"]["minItems"] == 1
    assert schemas["BulkRequest"]["minProperties"] == 1
    assert schemas["BulkRequest"]["properties"]["ids"]["minItems"] == 1
