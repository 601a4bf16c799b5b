"""GET jobs/health: workers by pool, and databases that are down or hang."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from pytest_django import Settings

from jobs.models import WorkerProcess
from tests.integration.api.asking import HEADERS, VIDEO, assert_headers, post, problem_of

# The answer comes over a connection of its own, which sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

HEALTH = "/api/v1/jobs/health"


@pytest.fixture(autouse=True)
def _pools(settings: Settings) -> None:
    settings.POOLS = "high=7-10:4,low=0-6:2"
    settings.JOB_LEASE_SECONDS = 30.0


def worker(
    pools: dict[str, int], wakeup: dict[str, str] | None = None, *, seen_seconds_ago: float = 0
) -> None:
    WorkerProcess.objects.create(
        name="host:1",
        version="1",
        pools=pools,
        wakeup=wakeup or {},
        seen_at=Now() - timedelta(seconds=seen_seconds_ago),
    )


def test_all_is_well(api: Client) -> None:
    worker({"high": 4}, {"postgresql": "up", "redis": "up"})
    worker({"high": 8, "low": 2}, {"postgresql": "up", "redis": "down"})

    response = api.get(HEALTH)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert_headers(response)
    body = response.json()
    assert body["database"].pop("answered_in_ms") > 0
    assert body == {
        "status": "ok",
        "database": {"status": "up"},
        "workers": {
            "high": {"processes": 2, "threads": 12},
            "low": {"processes": 1, "threads": 2},
        },
        "wakeup": {"postgresql": {"up": 2}, "redis": {"down": 1, "up": 1}},
    }


def test_degraded_while_a_pool_has_no_worker(api: Client) -> None:
    worker({"high": 4})

    response = api.get(f"{HEALTH}/")

    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["workers"]["low"] == {"processes": 0, "threads": 0}


@pytest.mark.parametrize(("ago", "status"), [(25, "ok"), (35, "degraded")])
def test_a_worker_lives_for_one_lease_time(api: Client, ago: float, status: str) -> None:
    worker({"high": 4, "low": 2}, seen_seconds_ago=ago)

    assert api.get(HEALTH).json()["status"] == status


def test_pools_are_those_of_the_settings(api: Client, settings: Settings) -> None:
    settings.POOLS = "all=0-10:1"
    worker({"high": 4, "all": 1})

    assert api.get(HEALTH).json()["workers"] == {"all": {"processes": 1, "threads": 1}}


@pytest.fixture
def dead_port() -> Iterator[str]:
    """A port that is taken but does not listen."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield str(bound.getsockname()[1])


@pytest.fixture
def deaf_port() -> Iterator[str]:
    """A port that takes connections and never says a word, as a frozen server does."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield str(listening.getsockname()[1])


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """What it sets in the database's settings holds for connections of this test alone."""
    connection.close()
    yield monkeypatch
    connection.close()
    monkeypatch.undo()


def move_database(moved: pytest.MonkeyPatch, port: str) -> None:
    moved.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    moved.setitem(connection.settings_dict, "PORT", port)


@pytest.mark.parametrize("port_fixture", ["dead_port", "deaf_port"])
def test_database_gone(
    api: Client, moved: pytest.MonkeyPatch, request: pytest.FixtureRequest, port_fixture: str
) -> None:
    move_database(moved, request.getfixturevalue(port_fixture))
    started = time.monotonic()

    response = api.get(HEALTH)

    assert time.monotonic() - started < 20
    document = problem_of(response, 503, "database_down")
    assert document["database"] == {"status": "down"}
    assert int(response["Retry-After"]) > 0
    assert "127.0.0.1" not in str(document)


def test_database_that_does_not_answer_in_time(api: Client) -> None:
    """Somebody holds a lock that stops even readers."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE jobs_workerprocess IN ACCESS EXCLUSIVE MODE")
        try:
            problem_of(api.get(HEALTH), 503, "database_down")
        finally:
            cursor.execute("ROLLBACK")


def test_other_addresses_while_the_database_is_gone(
    api: Client, moved: pytest.MonkeyPatch, dead_port: str
) -> None:
    move_database(moved, dead_port)
    for response in (post(api, VIDEO), api.get(f"/api/v1/job/{'0' * 32}/status")):
        problem_of(response, 503, "database_unavailable")
        assert int(response["Retry-After"]) > 0
        assert set(HEADERS) <= set(response.headers)


def test_connection_that_the_server_ends_in_between(api: Client) -> None:
    """One answer is lost at most: the next request gets a new connection."""
    assert post(api, VIDEO).status_code == 201
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    finally:
        other.close()

    problem_of(post(api, VIDEO), 503, "database_unavailable")

    connection.close()
    assert post(api, VIDEO).status_code == 201
