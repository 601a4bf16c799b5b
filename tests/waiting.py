"""Wait for a condition, with a deadline: the only way tests let time pass."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Costs nothing where the condition comes true; here for a machine that is slow and busy.
PATIENT_SECONDS = 60.0
SHORTEST_PAUSE = 0.01
LONGEST_PAUSE = 0.2
# What is waited for long is asked for less often: the asking takes the time of what is waited for.
PAUSE_PART = 0.05


def wait_until(condition: Callable[[], T], what: str, *, seconds: float = PATIENT_SECONDS) -> T:
    """The condition's first true value. Raises AssertionError that says what did not happen."""
    began = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - began
        if waited > seconds:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(min(LONGEST_PAUSE, max(SHORTEST_PAUSE, PAUSE_PART * waited)))
