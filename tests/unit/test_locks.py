"""Nothing is installed that is not locked by its hash; an audit that asked nobody says so."""

import re
from pathlib import Path

import pytest

from scripts.audit import judge

PROJECT = Path(__file__).resolve().parents[2]
_PIN = re.compile(r"^(?![#\s]).+?==\S+.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("lock", sorted(PROJECT.glob("requirements*.txt")), ids=lambda p: p.name)
def test_every_pin_has_a_hash(lock: Path) -> None:
    pins = _PIN.findall(lock.read_text())

    assert pins
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []


def test_an_audit_passes_only_with_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert judge("a.txt", 0, "No known vulnerabilities found") == 0
    assert judge("a.txt", 0, "django could not be audited") == 1
    assert judge("a.txt", 1, "Found 1 known vulnerability: ConnectionError") == 1
    assert "SKIPPED" not in capsys.readouterr().out
    assert judge("a.txt", 1, "ConnectionError: Max retries exceeded") == 0
    assert "SKIPPED" in capsys.readouterr().out
