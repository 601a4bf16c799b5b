"""The proxy loses what it is meant to lose: the answer to what commits, and nothing before."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from jobs.queue.database import direct_parameters
from tests.chaos.proxy import Proxy

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
    found = Proxy(Path(host) / f".s.PGSQL.{parameters['port']}", ["door"], told.append)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE proxied (number int)")
    yield found
    found.close()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE proxied")


def through(proxy: Proxy, *, autocommit: bool) -> psycopg.Connection[tuple[int]]:
    parameters = direct_parameters(host="127.0.0.1", port=proxy.port("door"), sslmode="disable")
    return psycopg.connect(**parameters, autocommit=autocommit)


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
