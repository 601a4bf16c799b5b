"""The time a running job will still take is told from how far it is."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.queue.progress import seconds_left

STARTED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "progress", "left"), [(10, 0.5, 10), (30, 0.75, 10), (5, 1.0, 0), (-3, 0.5, 0)]
)
def test_it_goes_on_as_it_did(after: float, progress: float, left: float) -> None:
    assert seconds_left(STARTED, progress, STARTED + timedelta(seconds=after)) == left


@pytest.mark.parametrize("progress", [None, 0.0])
def test_nobody_can_tell_without_progress(progress: float | None) -> None:
    assert seconds_left(STARTED, progress, STARTED) is None


def test_nobody_can_tell_of_a_job_that_waits() -> None:
    assert seconds_left(None, 0.5, STARTED) is None
