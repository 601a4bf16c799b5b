"""What a process knows of outages of the database."""

import math
import time
from collections.abc import Callable

import pytest
from django.db import OperationalError
from psycopg.errors import LockNotAvailable, QueryCanceled

from jobs.worker.patience import Patience


def failing(times: int, then: Callable[[], float] = lambda: 0.0) -> Callable[[], float]:
    left = [times]

    def operation() -> float:
        if left[0]:
            left[0] -= 1
            raise OperationalError("the database system is starting up")
        return then()

    return operation


def test_without_an_outage_it_has_always_been_up() -> None:
    patience = Patience()
    assert patience.run(failing(0)) == 0.0
    assert patience.up_for() == math.inf
    assert Patience(recovered_at=time.monotonic() - 5.0).up_for() < math.inf


def test_one_lost_connection_is_no_outage() -> None:
    patience = Patience()
    patience.run(failing(1))
    assert patience.up_for() == math.inf


def test_while_no_connection_can_be_made_it_is_away() -> None:
    patience = Patience()
    seen: list[float] = []

    def operation() -> None:
        seen.append(patience.up_for())
        if len(seen) < 4:
            raise OperationalError("connection refused")

    patience.run(operation)

    assert seen == [math.inf, math.inf, 0.0, 0.0]
    assert 0.0 < patience.up_for() < math.inf


@pytest.mark.parametrize("refusal", [LockNotAvailable(), QueryCanceled()])
def test_a_row_that_somebody_keeps_locked_is_no_outage(refusal: Exception) -> None:
    patience = Patience()
    left = [3]

    def operation() -> None:
        if left[0]:
            left[0] -= 1
            raise OperationalError from refusal

    patience.run(operation)
    assert patience.up_for() == math.inf
