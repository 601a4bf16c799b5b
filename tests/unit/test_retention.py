"""JOB_RETENTION: what can be read, and what is said of the rest."""

import pytest

from jobs.queue.retention import EVERY_TYPE, parse_retention
from jobs.states import Status

DAY = 86_400


def test_defaults_are_thirty_ninety_and_thirty_days() -> None:
    assert parse_retention("").seconds == {
        (EVERY_TYPE, Status.COMPLETED): 30 * DAY,
        (EVERY_TYPE, Status.FAILED): 90 * DAY,
        (EVERY_TYPE, Status.CANCELLED): 30 * DAY,
    }


def test_what_is_named_is_changed_and_the_rest_stays() -> None:
    seconds = parse_retention("completed=12h, send_email:completed=7d,failed=never").seconds
    assert seconds[EVERY_TYPE, Status.COMPLETED] == DAY // 2
    assert seconds["send_email", Status.COMPLETED] == 7 * DAY
    assert seconds[EVERY_TYPE, Status.FAILED] is None
    assert seconds[EVERY_TYPE, Status.CANCELLED] == 30 * DAY


@pytest.mark.parametrize("text", ["completed=never", "completed=0", "completed=0d"])
def test_zero_and_never_keep_for_ever(text: str) -> None:
    assert parse_retention(text).seconds[EVERY_TYPE, Status.COMPLETED] is None


def test_the_shortest_time_is_over_all_types() -> None:
    retention = parse_retention("completed=never,a:completed=2d,failed=3d,cancelled=5d")
    assert retention.shortest(Status.COMPLETED) == 2 * DAY
    assert retention.shortest(Status.FAILED, Status.CANCELLED) == 3 * DAY
    assert parse_retention("completed=never").shortest(Status.COMPLETED) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("completed", "'completed' is not status=time"),
        ("completed=30", "'completed=30' is not status=time"),
        ("completed=-1d", "'completed=-1d' is not status=time"),
        ("queued=1d", "'queued=1d': the status is one of cancelled, completed, failed"),
        ("failed=1d,failed=2d", "says 'failed' twice"),
        ("failed=40000d", "say never for more than 100 years"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="JOB_RETENTION") as error:
        parse_retention(text)
    assert said in str(error.value)
