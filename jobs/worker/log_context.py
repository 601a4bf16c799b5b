"""Which attempt a thread is at, for every line that is logged meanwhile."""

import threading
from collections.abc import MutableMapping
from typing import Any

from jobs.attempt import Attempt


class _Running(threading.local):
    attempt: Attempt | None = None


running = _Running()


def add_attempt(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: adds `job_id` and `attempt` while an attempt runs in this thread."""
    attempt = running.attempt
    if attempt is not None:
        event["job_id"] = str(attempt.job_id)
        event["attempt"] = attempt.number
    return event
