"""The proxy loses what it is meant to lose: the answer to what commits, and nothing before."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from jobs.queue.database import direct_parameters
from tests.chaos.clock import now
from tests.chaos.ledger import Ledger, Record, keeper, read
from tests.chaos.plan import EVERYONE, PULSE_DOOR
from tests.chaos.proxy import Proxy
from tests.chaos.pulse import USUAL_SECONDS, Pulse
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def proxy(told: list[str]) -> Iterator[Proxy]:
    parameters = direct_parameters()
    host = str(parameters.get("host", ""))
    if not host.startswith("/"):
        pytest.skip("the database has no unix socket")
    found = Proxy(Path(host) / f".s.PGSQL.{parameters['port']}", ["door", PULSE_DOOR], told.append)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE proxied (number int)")
    yield found
    found.close()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE proxied")


def through(proxy: Proxy, *, autocommit: bool) -> psycopg.Connection[tuple[int]]:
    parameters = to(proxy, "door")
    return psycopg.connect(**parameters, autocommit=autocommit)


def to(proxy: Proxy, door: str) -> dict[str, Any]:
    return direct_parameters(host="127.0.0.1", port=proxy.port(door), sslmode="disable")


def rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM proxied")
        [(number,)] = cursor.fetchall()
    return int(number)


def test_the_answer_to_a_statement_that_commits_is_lost(proxy: Proxy, told: list[str]) -> None:
    client = through(proxy, autocommit=True)
    proxy.arm("door")
    with pytest.raises(psycopg.OperationalError):
        client.execute("INSERT INTO proxied VALUES (%s)", [1])
    assert told == ["door"]
    assert rows() == 1


def test_inside_a_transaction_the_answer_to_its_commit_is_lost(
    proxy: Proxy, told: list[str]
) -> None:
    client = through(proxy, autocommit=False)
    client.execute("SELECT 1")
    proxy.arm("door")
    client.execute("INSERT INTO proxied VALUES (%s)", [1])
    client.execute("INSERT INTO proxied VALUES (%s)", [2])
    assert told == []
    with pytest.raises(psycopg.OperationalError):
        client.commit()
    assert told == ["door"]
    assert rows() == 2


def test_unarmed_nothing_is_lost(proxy: Proxy, told: list[str]) -> None:
    with through(proxy, autocommit=False) as client:
        client.execute("INSERT INTO proxied VALUES (%s)", [1])
    assert (told, rows()) == ([], 1)


@pytest.fixture
def records(proxy: Proxy, tmp_path: Path) -> Iterator[Callable[[], list[Record]]]:
    """What the pulse has written so far, of its slow beats."""
    parameters = {key: value for key, value in to(proxy, PULSE_DOOR).items() if value is not None}
    for own in ("autocommit", "application_name", "connect_timeout"):
        parameters.pop(own, None)
    with keeper(tmp_path) as (address, path):
        pulse = Pulse(Ledger(address), make_conninfo(**parameters))
        pulse.start()
        yield lambda: [one for one in read(path) if one["what"] == "slow_beat"]
        pulse.end()


def test_a_slow_machine_is_noticed(proxy: Proxy, records: Callable[[], list[Record]]) -> None:
    proxy.slow(PULSE_DOOR, USUAL_SECONDS)  # each way
    wait_until(
        lambda: any(one["t"] - one["began"] >= USUAL_SECONDS * 0.9 for one in records()),
        "a beat is as slow as that",
    )


def test_faults_of_everyone_are_none_of_the_machine(
    proxy: Proxy, records: Callable[[], list[Record]]
) -> None:
    proxy.slow(EVERYONE, 5 * USUAL_SECONDS)
    with through(proxy, autocommit=True) as client:
        client.execute("SELECT 1")
        client.execute("SELECT 1")
    # Through a door that is so slow a beat takes ten times as long as usual, nine of them too long.
    assert all(one["t"] - one["began"] < 8 * USUAL_SECONDS for one in records())


def test_an_outage_is_no_slowness_of_the_machine(
    proxy: Proxy, records: Callable[[], list[Record]]
) -> None:
    proxy.swallow(PULSE_DOOR)
    began = now()
    wait_until(lambda: now() > began + 3 * USUAL_SECONDS, "a beat waits")
    proxy.slow(PULSE_DOOR, USUAL_SECONDS)
    proxy.end_swallowing(PULSE_DOOR)
    over = now()
    # One that was slow by itself may have been before.
    late = wait_until(
        lambda: [one for one in records() if one["t"] > began], "the next beat is slow"
    )
    assert late[0]["began"] > over
