"""What maintenance does now and then, a little at a time, besides rescue and promotion."""

import random
import time
from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError, connection

from jobs.queue.fire import prune_fires
from jobs.queue.prune import Pruner
from jobs.queue.requests import prune_requests
from jobs.stats.rollup import condense, roll_up

# A sweep that has more left goes on after so long: one part in eight of the time is its.
GO_ON_SECONDS = 0.7

log = structlog.get_logger(__name__)


class Sweep:
    """A function that is called every so often, and again soon when it says that more is left. It
    must come back within a fraction of a second: jobs wait behind it."""

    def __init__(
        self, name: str, run: Callable[[], bool], *, every: float, first: tuple[float, float]
    ) -> None:
        """first: between how many seconds after the start it is first called, by chance, so that
        processes do not all begin together."""
        self._name = name
        self._run = run
        self._every = every
        self._due_at = time.monotonic() + random.uniform(*first)  # noqa: S311
        self.unfinished = False
        self._woken = False

    def run_if_due(self) -> None:
        """Never raises: what fails here must not keep jobs from being rescued. It is logged and
        tried again when it is due next. An outage of the database is no defect: one line says so.
        """
        if time.monotonic() < self._due_at:
            return
        self.unfinished = self._woken = False
        try:
            self.unfinished = self._run()
        except (OperationalError, InterfaceError) as error:
            log.warning("maintenance.put_off", sweep=self._name, error=str(error).strip())
            connection.close()
        except Exception:
            log.exception("maintenance.failed", sweep=self._name)
            connection.close()
        self._due_at = time.monotonic() + (GO_ON_SECONDS if self.unfinished else self._every)
        if self._woken:
            self.wake()

    def wake(self) -> None:
        """There is something for it now. For any thread."""
        self._woken = self.unfinished = True
        self._due_at = 0.0


def sweeps() -> list[Sweep]:
    """Those of one process."""
    return [
        Sweep("rollup", roll_up, every=10.0, first=(0.0, 10.0)),
        Sweep("condense", condense, every=600.0, first=(60.0, 600.0)),
        # Somebody begins a round every hour; this is how often one looks whether it is time.
        Sweep("prune", Pruner().sweep, every=600.0, first=(120.0, 600.0)),
        Sweep("requests", prune_requests, every=600.0, first=(120.0, 600.0)),
        Sweep("fires of schedules", prune_fires, every=600.0, first=(120.0, 600.0)),
    ]
