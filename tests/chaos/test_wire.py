"""The proxy knows a statement that writes when it sees one."""

import struct

import pytest

from tests.chaos.wire import COMMITTED, Messages, Requests

STARTUP = struct.pack("!II", 8, 196_608)


def message(kind: bytes, contents: bytes) -> bytes:
    return kind + struct.pack("!I", 4 + len(contents)) + contents


def parse(name: bytes, text: bytes) -> bytes:
    return message(b"P", name + b"\0" + text + b"\0" + bytes(2))


def bind(name: bytes) -> bytes:
    return message(b"B", b"\0" + name + b"\0" + bytes(6))


@pytest.fixture
def requests() -> Requests:
    found = Requests()
    assert not found.writes(STARTUP)
    return found


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT jobs_step($1)",
        b"SELECT jobs_complete($1) + jobs_finish($2)",
        b"INSERT INTO jobs_job",
        b"WITH held AS",
        b" update x",
    ],
)
def test_a_prepared_statement_writes_when_it_runs(requests: Requests, text: bytes) -> None:
    assert not requests.writes(parse(b"s", text))
    assert requests.writes(bind(b"s"))


def test_a_statement_that_reads_does_not(requests: Requests) -> None:
    assert not requests.writes(parse(b"s", b"SELECT 1") + bind(b"s"))


def test_a_name_that_is_used_again_is_another_statement(requests: Requests) -> None:
    requests.writes(parse(b"", b"INSERT INTO jobs_job"))
    assert not requests.writes(parse(b"", b"SELECT 1") + bind(b""))


def test_a_commit_writes(requests: Requests) -> None:
    assert requests.writes(message(b"Q", b"COMMIT\0"))


def test_messages_may_come_in_pieces(requests: Requests) -> None:
    *pieces, last = [bytes([byte]) for byte in parse(b"s", b"UPDATE x") + bind(b"s")]
    assert not any(requests.writes(piece) for piece in pieces)
    assert requests.writes(last)


def test_what_the_server_says_after_a_commit() -> None:
    assert list(Messages(first=False).feed(COMMITTED)) == [(b"Z", b"I")]
