"""How many of many processes look, and that somebody always does in time."""

import heapq
import random
from itertools import pairwise

import pytest

from jobs.worker.turn import BELIEVED, LONGEST, Turn

SECONDS = 120.0
HEARD_AFTER = 0.02  # a slow machine: as long as it takes to look, and to tell the others


def looks(living: int, counted: int, *, hearing: bool = True) -> list[float]:
    """When `living` processes look that believe to be `counted`; intervals of one second."""
    turns = [Turn(1.0, lambda: counted, 0.0) for _ in range(living)]
    found: list[float] = []
    told: list[float] = []
    while True:
        first = min(turns, key=lambda turn: turn.due_at)
        if told and told[0] <= first.due_at:
            now = heapq.heappop(told)
            for turn in turns:
                turn.heard(now)
            continue
        now = first.due_at
        if now > SECONDS:
            return found
        found.append(now)
        first.looked(now)
        if hearing:
            heapq.heappush(told, now + HEARD_AFTER)


@pytest.fixture(autouse=True)
def _seed() -> None:
    random.seed(7)


@pytest.mark.parametrize("processes", [1, 2, 10, 30, 100])
def test_the_looks_stay_about_as_many_however_many_processes_there_are(processes: int) -> None:
    assert SECONDS * 1.0 < len(looks(processes, processes)) < SECONDS * 3.0


@pytest.mark.parametrize(("living", "counted"), [(1, 1), (1, 100), (3, 100), (100, 100), (100, 3)])
def test_somebody_looks_in_time_also_when_the_count_is_stale(living: int, counted: int) -> None:
    times = looks(living, counted)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) <= LONGEST + HEARD_AFTER + 1e-9


def test_who_hears_nothing_looks_alone() -> None:
    assert len(looks(10, 10, hearing=False)) > 10 * SECONDS


@pytest.mark.parametrize("processes", [1, 4])
def test_nobody_is_kept_from_looking_by_what_others_say(processes: int) -> None:
    turn = Turn(1.0, lambda: processes, 0.0)
    now = 0.0
    for tenth in range(1, int(100 * processes)):
        now = tenth / 10
        if turn.due_at <= now:
            break
        turn.heard(now)
    assert turn.due_at <= BELIEVED * processes + LONGEST
    assert now <= BELIEVED * processes + 1.0
