"""Who looks for the job that a signal tells of."""

import pytest

from jobs.worker.presence import LOOKERS, Presence


def _calls(processes: int, signals: int = 4000) -> int:
    presence = Presence({}, dict, 30.0)
    presence.processes = processes
    return sum(presence.is_called() for _ in range(signals))


@pytest.mark.parametrize(("processes", "alone"), [(0, True), (1, True), (2, False)])
def test_alone_is_who_has_no_other_beside_it(processes: int, alone: bool) -> None:
    presence = Presence({}, dict, 30.0)
    presence.processes = processes
    assert presence.alone() is alone


def test_few_processes_all_look() -> None:
    assert _calls(1) == _calls(LOOKERS) == 4000


def test_of_a_hundred_about_eight_look() -> None:
    # Three standard deviations of 4000 draws are 51.
    assert abs(_calls(100) - 4000 * LOOKERS / 100) < 100
