"""The row that tells people and health checks that this worker process lives."""

import os
import socket
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version

from django.db.models.functions import Now

from jobs.models import CLOCK, WorkerProcess, new_id

FORGET_AFTER = timedelta(hours=1)


def process_name() -> str:
    """host:pid, at most 100 characters."""
    return f"{socket.gethostname()[:90]}:{os.getpid()}"


class Presence:
    """Writes and removes the row of this process."""

    def __init__(self, pools: Mapping[str, int], wakeup: Callable[[], dict[str, str]]) -> None:
        self._id = new_id()
        self._pools = dict(pools)
        self._wakeup = wakeup

    def seen(self) -> None:
        """The process lives: insert or refresh its row."""
        WorkerProcess.objects.update_or_create(
            id=self._id,
            defaults={"wakeup": self._wakeup(), "seen_at": CLOCK},
            create_defaults={
                "name": process_name(),
                "version": _version(),
                "pools": self._pools,
                "wakeup": self._wakeup(),
            },
        )

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
