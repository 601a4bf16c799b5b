"""Endpoints and their log over the API."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Account
from accounts.plans import FREE, PLANS
from jobs.models import Job, Listener
from jobs.testing import work_off
from tests.accounts import ClientOf
from tests.integration.api.asking import problem_of
from tests.receiver import Receiver
from webhooks.deliveries import send_test
from webhooks.models import Delivery, Endpoint
from webhooks.secrets import secret_of

pytestmark = pytest.mark.django_db

URL = "/api/v1/webhooks"
REUSED = "idempotency_key_reused"


def test_the_life_of_an_endpoint(alice: User, client_of: ClientOf, hook: Receiver) -> None:
    client = client_of(alice)
    made = client.post(URL, {"url": hook.url, "events": ["job.failed", "job.queued"]}, "json")
    assert made.status_code == 201
    endpoint = made.json()
    secret = endpoint.pop("secret")
    assert made["Location"] == endpoint["links"]["self"] == f"{URL}/{endpoint['id']}"
    assert endpoint["events"] == ["job.queued", "job.failed"]
    assert client.get(made["Location"]).json() == endpoint
    assert client.get(URL).json()["results"] == [endpoint]
    assert Listener.objects.get().owner_id == alice.pk

    sent = client.post(f"{made['Location']}/test")
    assert sent.status_code == 202
    assert client.post(f"{sent.json()['links']['self']}/replay").status_code == 409
    hook.answer(503, body=b"<script>\x00")
    work_off(early=True)
    log = client.get(sent.json()["links"]["self"]).json()
    assert (log["status"], [one["status"] for one in log["attempts"]]) == ("delivered", [503, 204])
    assert log["attempts"][0]["answer"] == "<script>\ufffd"
    told: Any = hook.received[-1].event(secret)
    assert told["type"] == "webhook.test"
    assert client.post(f"{sent.json()['links']['self']}/replay").status_code == 202
    work_off()
    assert len({one.id for one in hook.received}) == 1
    assert len(hook.received) == 3

    rotated = client.post(f"{made['Location']}/rotate").json()
    assert rotated["secret"] != secret
    assert rotated["old_secret_until"] is not None

    changed = client.patch(made["Location"], {"enabled": False, "description": "off"}, "json")
    assert (changed.json()["enabled"], changed.json()["description"]) == (False, "off")
    assert not Listener.objects.exists()
    for action, body in (("test", {}), ("replay", {"since": timezone.now().isoformat()})):
        refused = client.post(f"{made['Location']}/{action}", body, "json")
        assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_disabled")
    client.patch(made["Location"], {"enabled": True}, "json")
    everything = {"since": endpoint["created_at"], "delivered": True}
    assert client.post(f"{made['Location']}/replay", everything, "json").json() == {"replayed": 1}

    assert client.delete(made["Location"]).status_code == 204
    assert client.get(made["Location"]).status_code == 404
    assert not Delivery.objects.exists()
    assert work_off()[-1].status == "CANCELLED"


def test_what_is_no_endpoint(alice: User, client_of: ClientOf, settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = False
    client = client_of(alice)
    for body, code in (
        ({}, "required"),
        ({"url": "http://93.184.216.34/"}, "bad_target"),
        ({"url": "https://127.1/"}, "bad_target"),
        ({"url": "https://localhost/"}, "bad_target"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "bad_target"),
        ({"url": "https://nothing.invalid/"}, "unknown_host"),
        ({"url": "https://93.184.216.34/", "events": ["job.eaten"]}, "invalid_choice"),
        ({"url": "https://93.184.216.34/", "owner": 1}, "unknown_field"),
        ({"url": "https://93.184.216.34/", "secret": "whsec_"}, "unknown_field"),
        ({"url": "https://93.184.216.34/", "failing_since": None}, "unknown_field"),
    ):
        answer = client.post(URL, body, "json")
        assert answer.status_code == 400, body
        assert [error["code"] for error in answer.json()["errors"]] == [code]
    job = {"job_type": "noop", "callback_url": "https://169.254.169.254/"}
    assert client.post("/api/v1/jobs", job, "json").status_code == 400
    assert client.post("/api/v1/jobs", {"job_type": "webhook"}, "json").status_code == 400
    assert not Endpoint.objects.exists()
    assert not Job.objects.exists()


def test_a_plan_has_so_many(alice: User, client_of: ClientOf, hook: Receiver) -> None:
    Account.objects.update(plan=FREE)
    client = client_of(alice)
    answers = [client.post(URL, {"url": hook.url}, "json") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 400]
    assert PLANS[FREE].webhook_endpoints == 3


def test_the_log_page_by_page(
    alice: User, bob: User, client_of: ClientOf, endpoint: Endpoint
) -> None:
    made = [send_test(endpoint) for _ in range(53)]
    client = client_of(alice)
    first = client.get(f"{URL}/{endpoint.id}/deliveries?status=pending").json()
    second = client.get(first["next"]).json()
    found = [one["id"] for page in (first, second) for one in page["results"]]
    assert found == [str(one.id) for one in reversed(made)]
    assert second["next"] is None
    back = client.get(second["prev"]).json()
    assert (back["results"], back["prev"]) == (first["results"], None)
    assert client.get(f"{URL}/deliveries?status=failed").json()["results"] == []
    cursor = first["next"].partition("cursor=")[2]
    for query in ("before=x", "cursor=x", f"cursor={cursor}", f"status=pending&cursor={cursor}"):
        assert client.get(f"{URL}/deliveries?{query}").status_code == 400
    assert client_of(bob).get(f"{URL}/deliveries").json()["results"] == []


def test_no_secret_is_in_the_database(
    alice: User, bob: User, client_of: ClientOf, hook: Receiver
) -> None:
    """Nor is it where a POST that is sent again finds its answer, which has the same secret."""
    client = client_of(alice)

    def twice(path: str, body: dict[str, str]) -> Any:
        first, again = (
            client.post(path, body, "json", headers={"Idempotency-Key": "once"}) for _ in range(2)
        )
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        assert again.headers.get("Location") == first.headers.get("Location")
        return first

    made = twice(URL, {"url": hook.url})
    secrets = [
        made.json()["secret"],
        twice(f"{made['Location']}/rotate", {}).json()["secret"],
        client.post(f"{URL}/callback-secret").json()["secret"],
        twice(f"{URL}/callback-secret", {}).json()["secret"],
    ]
    assert len(set(secrets)) == 4
    endpoint = Endpoint.objects.get()
    assert (endpoint.secret, secrets[0]) == (secrets[1], secret_of(endpoint.old_nonce))
    client.delete(made["Location"])
    assert twice(URL, {"url": hook.url}).json() == made.json()
    assert not Endpoint.objects.exists()

    key = {"Idempotency-Key": "once"}
    problem_of(client.post(URL, {"url": f"{hook.url}/other"}, "json", headers=key), 422, REUSED)
    his = client_of(bob).post(URL, {"url": hook.url}, "json", headers=key)
    assert his.json()["secret"] not in secrets
    assert all(secret.startswith("whsec_") and len(secret) == 50 for secret in secrets)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f"SELECT count(*) FROM {connection.ops.quote_name(table)} AS row"  # noqa: S608
                " WHERE row::text LIKE ANY(%s)",
                [[f"%{secret[6:-2]}%" for secret in secrets]],
            )
            assert cursor.fetchone() == (0,), table


def test_the_admin_shows_them(
    staff: User, client: Client, endpoint: Endpoint, hook: Receiver
) -> None:
    User.objects.filter(pk=staff.pk).update(is_superuser=True)
    client.force_login(staff)
    send_test(endpoint)
    work_off()
    for model in ("endpoint", "delivery", "deliveryattempt"):
        page = client.get(f"/admin/webhooks/{model}/")
        assert page.status_code == 200
        assert endpoint.secret not in page.text
        assert endpoint.nonce not in page.text
    page = client.get(f"/admin/webhooks/endpoint/{endpoint.id}/change/")
    assert page.status_code == 200
    assert endpoint.nonce not in page.text
