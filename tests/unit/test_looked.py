"""What worker processes tell each other, and what is none of it."""

import pytest

from jobs.worker.looked import Looked, read_looked


@pytest.mark.parametrize(
    "looked", [Looked(0.0, []), Looked(2.5, []), Looked(0.0, [9]), Looked(10.125, [0, 7, 10])]
)
def test_it_comes_as_it_was_told(looked: Looked) -> None:
    assert read_looked(looked.payload()) == looked


@pytest.mark.parametrize("payload", ["", "9", "9,10"])
def test_the_priorities_of_a_signal_are_something_else(payload: str) -> None:
    assert read_looked(payload) is None


def test_versions_that_do_not_know_it_find_no_priority_in_it() -> None:
    payload = Looked(0.0, [7, 9]).payload()
    assert not any(part.isdigit() for part in payload.split(","))


@pytest.mark.parametrize(
    "payload",
    [
        "looked",
        "looked ",
        "looked x",
        "looked inf ",
        "looked nan ",
        "looked -1.000 ",
        "looked 1e300 ",
        "looked 0.000 11",
        "looked 0.000 \u00b2",
        "looked 0.000 " + "9" * 5000,
        "looked 0.000 9\n",
    ],
)
def test_what_no_worker_says_is_not_believed(payload: str) -> None:
    assert read_looked(payload) is None
