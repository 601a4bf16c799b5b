"""What the programme does for itself is done again, and what went wrong is written down."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.chaos.insist import attempt, insist
from tests.chaos.ledger import Ledger, keeper, read


class Shaky:
    """Fails a few times."""

    def __init__(self, times: int, error: Exception) -> None:
        self._errors = [error] * times

    def __call__(self) -> str:
        if self._errors:
            raise self._errors.pop()
        return "done"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[tuple[Ledger, Path]]:
    with keeper(tmp_path) as (address, path):
        yield Ledger(address), path


def test_a_timeout_is_noted_and_done_again(kept: tuple[Ledger, Path]) -> None:
    ledger, path = kept
    error = psycopg.errors.ConnectionTimeout("too slow")
    assert insist(Shaky(2, error), "count", ledger) == "done"
    ledger.write("after", wait=True)
    assert [one.get("error") for one in read(path)] == ["ConnectionTimeout: too slow"] * 2 + [None]


def test_what_never_works_ends_it(kept: tuple[Ledger, Path]) -> None:
    ledger, _ = kept
    with pytest.raises(TimeoutError):
        insist(Shaky(9, TimeoutError()), "count", ledger, seconds=0.1)
    assert not attempt(Shaky(99, TimeoutError()), "count", ledger)


def test_a_mistake_in_the_programme_is_not_done_again(kept: tuple[Ledger, Path]) -> None:
    with pytest.raises(KeyError):
        attempt(Shaky(1, KeyError()), "count", kept[0])
