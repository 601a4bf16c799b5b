"""Claim jobs for a remote worker, and wait a while for some."""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from jobs.attempt import Attempt
from jobs.priorities import Pool
from jobs.queue.claim import Demand
from jobs.queue.claim_typed import claim_typed
from jobs.remote import presence
from jobs.remote.upkeep import upkeep

SHARE = 20  # looking takes at most one part in so many of the time


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a worker asks for. owner_id: only that owner's jobs; None for everybody's."""

    worker_id: UUID
    name: str
    version: str
    pool: Pool
    types: Collection[str]
    count: int
    owner_id: int | None


@dataclass(frozen=True, slots=True)
class Offer:
    """What it gets. waited: whether it was let wait for it."""

    attempts: list[Attempt]
    wishes: presence.Wishes
    waited: bool


class Waiting:
    """Counts who waits in this web process: each holds one of its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = 0

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Whether there is a place; it is held until the end of the context."""
        with self._lock:
            taken = self._waiting < settings.LEASE_WAITERS
            self._waiting += taken
        try:
            yield taken
        finally:
            with self._lock:
                self._waiting -= taken


_waiting = Waiting()


def lease(wanted: Wanted, seconds: float, hung_up: Callable[[], bool]) -> Offer:
    """Claim now or within `seconds`, by the rules for local workers.

    hung_up: whether the worker has gone meanwhile; nothing is claimed for one that has.
    """
    upkeep.begin()
    if not seconds:
        return _look_until(wanted, 0.0, hung_up, waits=False)
    with _waiting.place() as waits:
        return _look_until(wanted, time.monotonic() + seconds, hung_up, waits=waits)


def _look_until(
    wanted: Wanted, deadline: float, hung_up: Callable[[], bool], *, waits: bool
) -> Offer:
    while True:
        began = time.monotonic()
        offer = _look(wanted, hung_up, waits)
        now = time.monotonic()
        if offer.attempts or offer.wishes.drain or not waits or now >= deadline or hung_up():
            return offer
        pause = max(settings.WORKER_POLL_SECONDS, SHARE * (now - began))
        time.sleep(min(pause, deadline - now))


def _look(wanted: Wanted, hung_up: Callable[[], bool], waits: bool) -> Offer:
    if hung_up():  # and has perhaps said goodbye
        return Offer([], presence.Wishes(drain=False, paused=False), waits)
    wishes = presence.seen(
        wanted.worker_id,
        wanted.name,
        wanted.version,
        wanted.pool.name,
        wanted.count,
        serves_all=wanted.owner_id is None,
    )
    if wishes.drain or wishes.paused:
        return Offer([], wishes, waits)
    demand = Demand(
        wanted.pool.lowest,
        wanted.pool.highest,
        presence.display_name(wanted.name),
        settings.JOB_LEASE_SECONDS,
        settings.JOB_AGEING_SECONDS,
    )
    claimed = claim_typed(demand, wanted.types, wanted.count, owner_id=wanted.owner_id)
    return Offer(claimed, wishes, waits)
