"""The table of transitions is the documented one."""

from pathlib import Path

import pytest

from jobs.states import FINAL, TRANSITIONS, Status

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "state-machine.md"


def test_every_state_stands_in_the_table() -> None:
    assert set(TRANSITIONS) == set(Status)


def test_a_final_state_is_left_only_when_somebody_asks_for_a_retry() -> None:
    assert {Status.COMPLETED, Status.FAILED, Status.CANCELLED} == FINAL
    assert not TRANSITIONS[Status.COMPLETED]
    assert TRANSITIONS[Status.FAILED] == TRANSITIONS[Status.CANCELLED]
    assert TRANSITIONS[Status.FAILED] == {Status.QUEUED, Status.THROTTLED}


@pytest.mark.parametrize(
    ("status", "following"),
    [
        (Status.PENDING, Status.QUEUED),
        (Status.QUEUED, Status.IN_PROGRESS),
        (Status.IN_PROGRESS, Status.COMPLETED),
        (Status.IN_PROGRESS, Status.FAILED),
        (Status.IN_PROGRESS, Status.QUEUED),
        (Status.IN_PROGRESS, Status.PENDING),
    ],
)
def test_the_documented_way_is_legal(status: Status, following: Status) -> None:
    assert following in TRANSITIONS[status]


@pytest.mark.parametrize(
    ("status", "following"),
    [
        (Status.PENDING, Status.IN_PROGRESS),
        (Status.QUEUED, Status.COMPLETED),
        (Status.COMPLETED, Status.QUEUED),
        (Status.FAILED, Status.IN_PROGRESS),
        (Status.CANCELLED, Status.IN_PROGRESS),
    ],
)
def test_a_shortcut_is_illegal(status: Status, following: Status) -> None:
    assert following not in TRANSITIONS[status]


def test_the_drawing_shows_exactly_these_transitions() -> None:
    drawn = {
        tuple(part.strip() for part in line.split(":")[0].split("-->"))
        for line in DOCUMENT.read_text().splitlines()
        if "-->" in line and "[*]" not in line
    }
    assert drawn == {(a.value, b.value) for a, following in TRANSITIONS.items() for b in following}
