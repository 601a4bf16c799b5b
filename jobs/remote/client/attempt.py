"""One leased job under way: the Context that its processor sees, and the lease behind it."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import structlog

from jobs.attempt import Attempt
from jobs.remote.client.patience import GaveUp
from jobs.remote.client.server import LeaseLost, Refused, Server

MAX_MESSAGE = 200
LONGEST_SILENCE_SECONDS = 2.0  # so that a cancelled job does not go on for a third of a lease

log = structlog.get_logger(__name__)


class RemoteContext:
    """The line between the service and one attempt; its thread renews the lease until `close`.

    Why it is to stop: cancelled, timed_out, lost (its lease), or the worker ends.
    """

    def __init__(self, server: Server, job: Mapping[str, Any], renew_seconds: float) -> None:
        self.job = job
        self.attempt = Attempt(
            id=job["id"],
            lease=time.time_ns(),  # for names of files here; the service's own is not told
            number=job["attempt"],
            max_attempts=job["max_attempts"],
            job_type=job["job_type"],
            source_file=job["source_file"] and job["id"],
            target_format=job["target_format"],
            priority=job["priority"],
            parameters=job["parameters"],
            soft_limit_seconds=job["soft_limit_seconds"],
            hard_limit_seconds=job["hard_limit_seconds"],
        )
        self.cancelled = False
        self.timed_out = False
        self.lost = False
        self.drain = False
        self.addresses: dict[str, str] = job["addresses"]
        self._server = server
        self._begun_at = time.monotonic()
        self._every = min(renew_seconds, LONGEST_SILENCE_SECONDS)
        self._stop = threading.Event()
        self._stopped_at: float | None = None
        self._returned = False
        self._closed = threading.Event()
        self._progress: tuple[float | None, str] = (None, "")
        self._state: dict[str, Any] | None = None
        self._steps: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._renew, name="heartbeat", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """The attempt is settled."""
        self._closed.set()
        self._thread.join(timeout=5)

    def stop(self) -> None:
        """Ask the processor to stop."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()
        self._stop.set()

    def returned(self) -> None:
        """The processor has returned: what follows has an end of its own."""
        self._returned = True

    def deaf_for(self) -> float:
        """For how many seconds the processor has not listened to a stop."""
        if self._stopped_at is None or self._returned:
            return 0.0
        return time.monotonic() - self._stopped_at

    def report(self, progress: float | None, message: str = "") -> None:
        """Keep the newest progress; the next renewal tells it."""
        self._progress = (
            None if progress is None else min(1.0, max(0.0, float(progress))),
            str(message)[:MAX_MESSAGE],
        )

    def stopped(self) -> bool:
        """Whether the attempt is to stop now."""
        if (
            not self.timed_out
            and time.monotonic() - self._begun_at >= self.job["soft_limit_seconds"]
        ):
            self.timed_out = True
            self.stop()
        return self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep at most `seconds`; True at once when the attempt is to stop."""
        return self._stop.wait(seconds) or self.stopped()

    def seconds_left(self) -> float:
        """How long until the hard time limit."""
        hard: float = self.job["hard_limit_seconds"]
        return self._begun_at + hard - time.monotonic()

    def checkpoint(self) -> dict[str, Any] | None:
        """What this attempt saved last: the service keeps none of a remote one."""
        return self._state

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep a state. Raises ValueError when it is no JSON."""
        self._state = _as_json(dict(state))

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        """The result of a step that is called once in this attempt."""
        if name not in self._steps:
            self._steps[name] = _as_json(function())
        return self._steps[name]

    def renew_now(self) -> None:
        """Have fresh addresses. Raises LeaseLost, Refused, GaveUp."""
        self._learn(self._server.say(self.job, "progress", **self._told()))

    def _renew(self) -> None:
        while not self._closed.wait(self._every):
            try:
                self._learn(self._server.say_once(self.job, "progress", **self._told()))
            except LeaseLost:
                log.warning("lease.lost", job_id=self.attempt.id)
                self.lost = True
                self.stop()
                return
            except (Refused, httpx.HTTPError, GaveUp) as error:
                # While the service is away nobody else can have the job either.
                log.warning("renewal.failed", job_id=self.attempt.id, error=str(error))

    def _told(self) -> dict[str, Any]:
        progress, message = self._progress
        return {"progress": progress, "message": message}

    def _learn(self, answer: Mapping[str, Any]) -> None:
        self.addresses = answer["addresses"]
        self.drain = self.drain or answer["drain"]
        if answer["cancel_requested"] and not self.cancelled:
            log.info("job.cancelled", job_id=self.attempt.id)
            self.cancelled = True
            self.stop()


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))
