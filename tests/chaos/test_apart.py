"""A run in a process of its own that gives no report says why."""

import pytest

from tests.chaos.apart import Broken, report_of


def test_a_run_that_breaks_says_why() -> None:
    with pytest.raises(Broken, match="FileNotFoundError"):
        report_of("--replay", "there-is-no-such-plan.json", load_seconds=1.0)
