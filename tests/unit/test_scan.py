"""The scanner's address, and what is remembered of files that were clean."""

import os
from pathlib import Path

import pytest

from jobs.scan import clean as memory
from jobs.scan.address import Address, parse_address
from jobs.scan.clean import Clean, Identity, Turn, identity_of


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("clamd://scanner:3311", Address(host="scanner", port=3311)),
        ("clamd://scanner", Address(host="scanner", port=3310)),
        ("clamd://[::1]:3310", Address(host="::1", port=3310)),
        ("clamd+unix:///run/clamav/clamd.sock", Address(path="/run/clamav/clamd.sock")),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "scanner:3310",
        "tcp://scanner:3310",
        "clamd://",
        "clamd://:3310",
        "clamd://scanner:port",
        "clamd://scanner:0",
        "clamd://scanner:99999",
        "clamd://scanner/path",
        "clamd://scanner:3310/",
        "clamd://user:hush@scanner",
        "clamd://scanner?x=1",
        "clamd://[::1",
        "clamd+unix://",
        "clamd+unix:///",
        "clamd+unix://relative/clamd.sock",
        "clamd+unix:///clamd.sock?x",
        "unix:///run/clamd.sock",
        " clamd://scanner",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="it must be clamd://host:port or clamd\\+unix:///path"):
        parse_address(text)


def a_file(number: int) -> Identity:
    return Identity(1, number, 1, 1, 1)


def test_one_scans_and_others_wait() -> None:
    clean = Clean()
    assert clean.turn(a_file(1)) is Turn.SCAN
    assert clean.turn(a_file(1)) is Turn.WAIT
    assert clean.turn(a_file(2)) is Turn.SCAN
    clean.end(a_file(1), clean=False)
    assert clean.turn(a_file(1)) is Turn.SCAN
    clean.end(a_file(1), clean=True)
    assert clean.turn(a_file(1)) is Turn.CLEAN
    assert clean.turn(a_file(2)) is Turn.WAIT


def test_it_forgets_what_is_old_or_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    clean = Clean()
    for number in range(memory.REMEMBERED_FILES + 1):
        clean.turn(a_file(number))
        clean.end(a_file(number), clean=True)
    assert clean.turn(a_file(0)) is Turn.SCAN
    assert clean.turn(a_file(1)) is Turn.CLEAN
    monkeypatch.setattr(memory, "REMEMBERED_SECONDS", 0.0)
    assert clean.turn(a_file(1)) is Turn.SCAN


def test_a_file_that_was_written_to_is_another(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    with path.open("rb") as file:
        before = identity_of(file.fileno())
        assert identity_of(file.fileno()) == before
        path.write_bytes(b"two!")
        assert identity_of(file.fileno()) != before
        before = identity_of(file.fileno())
        os.utime(path, ns=(0, 0))  # who hides a change changes something else
        assert identity_of(file.fileno()) != before
