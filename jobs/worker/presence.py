"""The row that tells people and health checks that this worker process lives."""

import os
import random
import socket
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version

from django.db.models.functions import Now

from jobs.models import CLOCK, WorkerProcess, new_id
from jobs.queue.pause import paused

FORGET_AFTER = timedelta(hours=1)
LOOKERS = 8


def process_name() -> str:
    """host:pid, at most 100 characters."""
    return f"{socket.gethostname()[:90]}:{os.getpid()}"


class Presence:
    """Writes and removes the row of this process, and counts those that serve the same pools."""

    def __init__(
        self, pools: Mapping[str, int], wakeup: Callable[[], dict[str, str]], lease_seconds: float
    ) -> None:
        self._id = new_id()
        self._pools = dict(pools)
        self._wakeup = wakeup
        self._alive_for = timedelta(seconds=lease_seconds)
        self.processes = 1
        self.paused: frozenset[str] = frozenset()
        self.drain_requested = False

    def seen(self) -> None:
        """The process lives: insert or refresh its row; count those that serve the same, and read
        which pools are paused and whether this process is to drain."""
        process, _ = WorkerProcess.objects.update_or_create(
            id=self._id,
            defaults={"wakeup": self._wakeup(), "seen_at": CLOCK},
            create_defaults={
                "name": process_name(),
                "version": _version(),
                "pools": self._pools,
                "wakeup": self._wakeup(),
            },
        )
        self.paused = frozenset(paused())
        self.drain_requested = process.drain_requested
        self.processes = WorkerProcess.objects.filter(
            seen_at__gt=Now() - self._alive_for, pools__has_any_keys=list(self._pools)
        ).count()

    def alone(self) -> bool:
        """Whether no other process serves the same."""
        return self.processes <= 1

    def is_called(self) -> bool:
        """Whether this process looks for the job that a signal tells of: all do up to LOOKERS, and
        of more about so many, by chance. The others find it by polling, if it is still there."""
        return random.random() * self.processes < LOOKERS  # noqa: S311

    def gone(self) -> None:
        """The process ends: remove its row."""
        WorkerProcess.objects.filter(id=self._id).delete()


def forget_dead() -> None:
    """Remove the rows of processes that died without a word."""
    WorkerProcess.objects.filter(seen_at__lt=Now() - FORGET_AFTER).delete()


def _version() -> str:
    try:
        return version("mediaproc")
    except PackageNotFoundError:
        return "source"
