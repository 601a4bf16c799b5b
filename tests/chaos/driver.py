"""Submits jobs through both doors: what was meant before, what was acknowledged after."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import httpx
from django.db import connection
from django.db.utils import Error as DjangoError
from django.utils import timezone

from jobs.queue.submit import NewJob, submit, submit_many
from tests.chaos.clock import now
from tests.chaos.ledger import Ledger
from tests.chaos.plan import Plan

API_SHARE = 0.25
MANY_SHARE = 0.05
MANY = (2, 30)
API_SECONDS = 12.0
# The type of a job that takes its time, and how long.
_LASTING = {
    "short": ("wait", 0.01, 0.15),
    "medium": ("wait", 0.3, 1.5),
    "long": ("wait", 3.5, 5.0),
    "deaf": ("wait", 1.0, 4.0),
    "file": ("file", 0.05, 0.4),
}


@dataclass(frozen=True)
class Wanted:
    """One job to submit. token: finds it again, also when no answer tells its id."""

    token: str
    type: str
    priority: int
    parameters: dict[str, Any] = field(default_factory=dict)
    wait: float = 0.0

    def stored(self) -> dict[str, Any]:
        """Its parameters as they stand in the row."""
        return {**self.parameters, "token": self.token}


class Choice:
    """Draws jobs: the same ones for the same seed."""

    def __init__(self, plan: Plan, door: str) -> None:
        self.random = Random(f"{plan.seed} {door}")
        self._door = door
        self._mix = plan.mix
        self._numbers = itertools.count()

    def job(self, kind: str = "") -> Wanted:
        """The next one, of this kind if one is given."""
        random = self.random
        kind = kind or random.choices(list(self._mix), list(self._mix.values()))[0]
        token = f"{self._door}-{next(self._numbers)}"
        priority = random.randint(0, 10)
        if kind == "scheduled":
            return Wanted(token, "quick", priority, wait=random.uniform(0.2, 2))
        if kind == "flaky":
            return Wanted(token, kind, priority, {"succeeds_on": random.choice((2, 2, 3, 4))})
        if kind in _LASTING:
            job_type, shortest, longest = _LASTING[kind]
            parameters: dict[str, Any] = {"seconds": round(random.uniform(shortest, longest), 3)}
            if kind == "deaf":
                parameters["deaf"] = True
            return Wanted(token, job_type, priority, parameters)
        return Wanted(token, kind, priority)

    def poison(self, how: str) -> Wanted:
        """A job that ruins its worker."""
        return Wanted(f"{self._door}-{next(self._numbers)}", "poison", 5, {"how": how})


class _Refused(Exception):
    """The API did not take a job, and says so."""


class Driver:
    """Two threads, each with its own door and its own pace, until `end`."""

    def __init__(self, plan: Plan, ledger: Ledger, web: str) -> None:
        self._plan = plan
        self._ledger = ledger
        self._web = web
        self._ending = threading.Event()
        self._poison: list[str] = []
        self._threads = [
            threading.Thread(target=self._drive, args=arguments, name=f"driver-{arguments[0]}")
            for arguments in (
                ("api", API_SHARE, self._api),
                ("python", 1 - API_SHARE, self._python),
            )
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Submit no more, and wait for the answers that are still to come."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def poison(self, how: str) -> None:
        """Submit such a job next."""
        self._poison.append(how)

    def _drive(self, door: str, share: float, go: Callable[[Choice], int]) -> None:
        choice = Choice(self._plan, door)
        due = now()
        while not self._ending.wait(max(0.0, due - now())):
            # After an outage it goes on at its pace and does not make up for the time.
            due = max(due, now() - 0.5) + go(choice) / (self._plan.rate * share)
        _let_go()

    def _api(self, choice: Choice) -> int:
        job = choice.job()
        if job.wait:
            job = choice.job("quick")
        self._intend("api", [job])
        body = {
            "priority": job.priority,
            "job_type": job.type,
            "parameters": job.stored(),
        }
        with self._answered([job]) as ids:
            answer = httpx.post(f"{self._web}/submit_job", json=body, timeout=API_SECONDS)
            if answer.status_code != httpx.codes.CREATED:
                raise _Refused(f"{answer.status_code} {answer.text[:200]}")
            ids.append(answer.json()["job_id"])
        return 1

    def _python(self, choice: Choice) -> int:
        if choice.random.random() < MANY_SHARE:
            jobs = [choice.job() for _ in range(choice.random.randint(*MANY))]
            jobs = [job for job in jobs if not job.wait]
        elif self._poison:
            jobs = [choice.poison(self._poison.pop(0))]
        else:
            jobs = [choice.job()]
        if not jobs:
            return 0
        self._intend("python", jobs)
        with self._answered(jobs) as ids:
            if len(jobs) == 1:
                ids.append(str(submit(_new(jobs[0])).id))
            else:
                ids.extend(map(str, submit_many(map(_new, jobs))))
        return len(jobs)

    @contextmanager
    def _answered(self, jobs: list[Wanted]) -> Iterator[list[str]]:
        """Takes the ids that the block was told. Without an answer, whatever the reason, the jobs
        may or may not be there; a reason that no submitter should meet is for the audit."""
        ids: list[str] = []
        try:
            yield ids
        except (DjangoError, httpx.TransportError, _Refused) as error:
            self._maybe(jobs, repr(error))
        except Exception as error:  # of any other kind
            self._maybe(jobs, repr(error))
            self._ledger.write("strange", wait=True, error=repr(error)[:300])
        else:
            self._acknowledged(jobs, ids)
            return
        _let_go()

    def _intend(self, door: str, jobs: list[Wanted]) -> None:
        self._ledger.write("intent", wait=True, door=door, tokens=[job.token for job in jobs])

    def _acknowledged(self, jobs: list[Wanted], ids: list[str]) -> None:
        pairs = list(zip([job.token for job in jobs], ids, strict=True))
        self._ledger.write("acknowledged", wait=True, jobs=pairs)

    def _maybe(self, jobs: list[Wanted], reason: str) -> None:
        tokens = [job.token for job in jobs]
        self._ledger.write("maybe", wait=True, tokens=tokens, reason=reason)


def _let_go() -> None:
    """The next submission connects anew."""
    with suppress(DjangoError):
        connection.close()


def _new(job: Wanted) -> NewJob:
    at = timezone.now() + timedelta(seconds=job.wait) if job.wait else None
    return NewJob(
        job.type, "a.mp4", "avi", parameters=job.stored(), priority=job.priority, scheduled_at=at
    )
