"""Lease, work, lease again, until told to stop."""

import os
import signal
import socket
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import structlog
from django.conf import settings

from jobs.processors.declaration import Processor
from jobs.remote.client.attempt import RemoteContext
from jobs.remote.client.patience import AWAY, GaveUp, backoff
from jobs.remote.client.server import LeaseLost, Refused, Server
from jobs.remote.client.work import work

WAIT_SECONDS = 20.0
IDLE_SECONDS = 2.0  # between looks, where the service does not let this worker wait
TICK_SECONDS = 0.1
STOPS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger(__name__)


class Stuck(Exception):
    """A thread does not come back from its job."""


@dataclass(frozen=True, slots=True)
class Settings:
    """server: its address, without /api/v1. once: end when there are no jobs."""

    server: str
    token: str
    pool: str
    once: bool = False


class RemoteWorker:
    """One job at a time; run as many processes as the machine can bear."""

    def __init__(self, asked: Settings, processors: Mapping[str, Processor]) -> None:
        self._asked = asked
        self._processors = processors
        self._name = f"{socket.gethostname()[:80]}:{os.getpid()}"
        self._server = Server(asked.server, asked.token, self._pause)
        self._signalled = False
        self._stopping = threading.Event()
        self._waiting = False
        self._context: RemoteContext | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        """Until SIGTERM or SIGINT, or until the service says so: what runs then is handed back.

        Raises Refused when the service takes nothing of this worker, Stuck.
        """
        for number in STOPS:
            signal.signal(number, self._catch)
        with tempfile.TemporaryDirectory(prefix="mediaproc-") as folder:
            settings.MEDIA_ROOT = Path(folder)
            for name in ("sources", "outputs"):
                (Path(folder) / name).mkdir()
            log.info("worker.started", pool=self._asked.pool, server=self._asked.server)
            thread = threading.Thread(target=self._work, name="work", daemon=True)
            thread.start()
            while thread.is_alive():
                thread.join(TICK_SECONDS)
                # The end of this process hangs up: for a worker that is gone nothing is claimed.
                if (self._signalled and self._stop()) or self._is_stuck():
                    break
            self._say_goodbye()
            for number in STOPS:
                signal.signal(number, signal.SIG_IGN)  # one more would kill Python while it ends
            log.info("worker.ended")
        if self._error is not None:
            raise self._error

    def _catch(self, number: int, frame: FrameType | None) -> None:
        """Takes no lock: it may interrupt this thread anywhere."""
        self._signalled = True

    def _stop(self) -> bool:
        """Whether nothing is under way."""
        self._stopping.set()
        if (context := self._context) is not None:
            context.stop()
        return self._waiting

    def _is_stuck(self) -> bool:
        """Whether a processor does not listen: the process ends, its supervisor starts another."""
        context = self._context
        if context is None or context.deaf_for() <= settings.WORKER_GRACE_SECONDS:
            return False
        log.error("job.stuck", job_id=context.attempt.id)
        self._error = Stuck(f"job {context.attempt.id} does not listen to its stop")
        with suppress(httpx.HTTPError, Refused, LeaseLost):
            self._server.say_once(context.job, "release")
        return True

    def _work(self) -> None:
        try:
            self._serve()
        except GaveUp:
            pass
        except Exception as error:  # the main thread raises it
            self._error = error

    def _serve(self) -> None:
        failed = 0
        while not self._stopping.is_set():
            try:
                answer = self._wait_for_jobs()
            except (httpx.TransportError, Refused) as error:
                if isinstance(error, Refused) and error.status not in AWAY:
                    raise
                log.warning("server.away", why=str(error))
                self._stopping.wait(backoff(failed))
                failed += 1
                continue
            failed = 0
            jobs = answer.get("jobs", [])
            drain = answer.get("drain", False)
            for job in jobs:
                drain = self._run(job, answer["renew_seconds"]) or drain
            if drain or (self._asked.once and not jobs):
                return
            if not (jobs or answer.get("waited")):
                self._stopping.wait(IDLE_SECONDS)

    def _run(self, job: Mapping[str, Any], renew_seconds: float) -> bool:
        """Work on one job. Returns whether the worker shall end."""
        context = self._context = RemoteContext(self._server, job, renew_seconds)
        if self._stopping.is_set():
            context.stop()
        work(self._server, context, self._processors)
        self._context = None
        return context.drain

    def _wait_for_jobs(self) -> dict[str, Any]:
        self._waiting = True
        try:
            return self._lease(1, 0.0 if self._asked.once else WAIT_SECONDS)
        finally:
            self._waiting = False

    def _lease(self, count: int, wait: float) -> dict[str, Any]:
        wanted = {
            "pool": self._asked.pool,
            "types": sorted(self._processors),
            "count": count,
            "name": self._name,
        }
        return self._server.lease(wanted, wait)

    def _say_goodbye(self) -> None:
        try:
            self._lease(0, 0.0)
        except (httpx.HTTPError, Refused):
            log.info("server.away", why="it does not hear the goodbye")

    def _pause(self, seconds: float) -> bool:
        """A worker that is to end does not wait for a service that is away."""
        return self._stopping.wait(seconds)
