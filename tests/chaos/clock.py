"""The clock of the ledger: the kernel's, which every process shares and no fault can change."""

import datetime
import time
from collections.abc import Callable

# Bound here, before a fault replaces the names in the module `time`.
now: Callable[[], float] = time.monotonic
_time: Callable[[], float] = time.time


def epoch_of_monotonic() -> float:
    """What to take from a database timestamp, in seconds since 1970, to get the ledger's time."""
    return _time() - now()


def jump(seconds: float) -> None:
    """From now on this process believes that it is so much later. The ledger's clock stays."""

    class Wrong(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> "Wrong":
            return cls.fromtimestamp(time.time(), tz)

    from django.utils import timezone

    time.time = lambda: _time() + seconds
    datetime.datetime = Wrong  # type: ignore[misc]
    timezone.datetime = Wrong  # type: ignore[attr-defined]
