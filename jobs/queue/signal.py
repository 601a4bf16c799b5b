"""Tell workers of something to do: after the commit, debounced, never in the caller's way.

Workers look at the rows anyway; a signal only cuts latency. So it is sent by a thread of its own,
on a connection of its own: a server that is down or hangs costs the submitter nothing. NOTIFY stays
out of the submitting transaction because there it would serialise commits.
"""

import atexit
import os
import threading
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import connection

from jobs.queue import redis_signal
from jobs.statement import Statement

CHANNEL = "jobs_queued"
DEBOUNCE_SECONDS = 0.002
IDLE_SECONDS = 30.0  # then the connection is closed until it is needed again
HOLD_SECONDS = 2.0  # a signal that failed is left alone so long

# What a signal tells of, beside the priorities that have new jobs.
CANCEL = "cancel"  # a running job is to stop
OUTBOX = "outbox"  # something happened to a job that somebody is told of; sent by outbox.sql
POOLS = "pools"  # a pool was paused or resumed, or a process is to drain

_NOTIFY = Statement("SELECT pg_notify($1, $2)::text")

log = structlog.get_logger(__name__)


class Announcer:
    """Sends what there is to do over every configured wake-up signal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._topics: set[str] = set()
        self._thread: threading.Thread | None = None
        self._held_until: dict[str, float] = {}

    def announce(self, *topics: int | str) -> None:
        """Say that jobs of these priorities wait, or CANCEL, or POOLS. Returns at once."""
        with self._lock:
            self._topics.update(str(topic) for topic in topics)
            self._wanted.set()
            if self._thread is None:
                self._stopping.clear()
                self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Send what is left, at most two seconds long, and close the connection."""
        thread = self._thread
        if thread is not None:
            self._stopping.set()
            self._wanted.set()
            thread.join(timeout=2)

    def _run(self) -> None:
        senders = _senders()
        try:
            while payload := self._next_payload():
                for name, send in senders.items():
                    self._send(name, send, payload)
                self._stopping.wait(DEBOUNCE_SECONDS)
        finally:
            connection.close()

    def _next_payload(self) -> str:
        """Wait for topics to announce; empty when idle or closing, and the thread is to end."""
        if not self._stopping.is_set():
            self._wanted.wait(IDLE_SECONDS)
        with self._lock:
            self._wanted.clear()
            payload = ",".join(sorted(self._topics))
            self._topics.clear()
            if not payload:
                self._thread = None
            return payload

    def _send(self, name: str, send: Callable[[str], None], payload: str) -> None:
        held_until = self._held_until.get(name)
        if held_until is not None and time.monotonic() < held_until:
            return
        try:
            send(payload)
        except Exception as error:  # any failure at all: polling serves meanwhile
            if held_until is None:
                log.warning("wakeup.send_failed", signal=name, error=str(error).strip())
            self._held_until[name] = time.monotonic() + HOLD_SECONDS
        else:
            if self._held_until.pop(name, None) is not None:
                log.info("wakeup.send_recovered", signal=name)


def tell_workers(word: str) -> None:
    """Tell all worker processes something that is no priority, on this thread's connection.

    Who does not know the word, an older version, takes no notice.
    """
    if settings.WAKEUP_NOTIFY:
        _NOTIFY.run(CHANNEL, word)


def _senders() -> dict[str, Callable[[str], None]]:
    senders: dict[str, Callable[[str], None]] = {}
    if settings.WAKEUP_NOTIFY:
        senders["postgresql"] = _notify
    if settings.REDIS_URL:
        senders["redis"] = _publisher()
    return senders


def _notify(payload: str) -> None:
    try:
        _NOTIFY.run(CHANNEL, payload)
    except Exception:
        connection.close()
        raise


def _publisher() -> Callable[[str], None]:
    """Publishes on one connection; a new one, with the password of then, after it broke."""
    client = None

    def publish(payload: str) -> None:
        nonlocal client
        if client is None:
            client = redis_signal.connect()
        try:
            client.publish(redis_signal.channel(), payload)
        except Exception:
            client.close()
            client = None
            raise

    return publish


announcer = Announcer()
announce = announcer.announce
atexit.register(announcer.close)
os.register_at_fork(after_in_child=announcer.__init__)  # type: ignore[misc]
