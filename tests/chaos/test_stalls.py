"""How the machine's own stalls are added up."""

import pytest

from tests.chaos.stalls import Stalls

STALLS = Stalls([(5.0, 6.0), (1.0, 1.5)])


def test_only_what_lies_within_counts() -> None:
    assert STALLS.within(0.0, 10.0) == STALLS.total == 1.5
    assert STALLS.within(1.2, 5.5) == pytest.approx(0.8)
    assert STALLS.within(1.5, 5.0) == STALLS.within(6.0, 9.0) == 0.0
    assert Stalls().within(0.0, 10.0) == 0.0


def test_time_that_was_stalled_does_not_pass() -> None:
    assert STALLS.later(2.0, 2.0) == 4.0
    assert STALLS.later(0.5, 1.0) == 2.0
    assert STALLS.later(1.25, 1.0) == 2.5
    assert STALLS.later(0.0, 5.0) == 6.5  # the second one begins while it waits
    assert STALLS.later(float("inf"), 1.0) == float("inf")
