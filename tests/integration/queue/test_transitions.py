"""Every operation on a row in every state moves it along a legal edge or leaves it alone."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from jobs.models import Job
from jobs.outcomes import Cancel, Failed, Interrupted, Outcome, Retry, Snooze
from jobs.queue.cancel import cancel_where
from jobs.queue.claim_typed import claim_typed
from jobs.queue.dead_letter import replay_where, retry_where
from jobs.queue.expire import expire
from jobs.queue.finish import Finished, finish
from jobs.queue.lease import heartbeat
from jobs.queue.progress import Progress, report_progress
from jobs.queue.promote import promote
from jobs.queue.rescue import rescue
from jobs.queue.selection import EVERYTHING
from jobs.states import TRANSITIONS, Status
from tests.rows import ALL, DONE, attempt, claim, job_in

pytestmark = pytest.mark.django_db

LEASE = 42


def _finishing(outcome: Outcome) -> Callable[[UUID], object]:
    return lambda job_id: finish([Finished(attempt(job_id, LEASE), outcome)])


WAITING = (Status.PENDING, Status.THROTTLED, Status.QUEUED)
# What each operation may do: from the states given, to the state given.
OPERATIONS: dict[str, tuple[Callable[[UUID], object], dict[Status, Status]]] = {
    "claim": (lambda _: claim(), {Status.QUEUED: Status.IN_PROGRESS}),
    "claim by type": (
        lambda _: claim_typed(ALL, ["noop"], 1),
        {Status.QUEUED: Status.IN_PROGRESS},
    ),
    "promote": (lambda _: promote(), {Status.PENDING: Status.QUEUED}),
    "rescue": (lambda _: rescue(0.0, 3), {Status.IN_PROGRESS: Status.QUEUED}),
    "rescue the third time": (lambda _: rescue(0.0, 1), {Status.IN_PROGRESS: Status.FAILED}),
    "complete": (_finishing(DONE), {Status.IN_PROGRESS: Status.COMPLETED}),
    "retry": (_finishing(Retry("x")), {Status.IN_PROGRESS: Status.PENDING}),
    "fail": (_finishing(Failed("x")), {Status.IN_PROGRESS: Status.FAILED}),
    "snooze": (_finishing(Snooze(1.0)), {Status.IN_PROGRESS: Status.PENDING}),
    "cancel": (_finishing(Cancel()), {Status.IN_PROGRESS: Status.CANCELLED}),
    "hand back": (_finishing(Interrupted()), {Status.IN_PROGRESS: Status.QUEUED}),
    "hand back unstarted": (
        _finishing(Interrupted(started=False)),
        {Status.IN_PROGRESS: Status.QUEUED},
    ),
    "ask to cancel": (lambda _: cancel_where(EVERYTHING), dict.fromkeys(WAITING, Status.CANCELLED)),
    "expire": (
        lambda _: expire(),
        dict.fromkeys(WAITING, Status.FAILED),
    ),
    "retry what ended": (
        lambda _: retry_where(EVERYTHING),
        dict.fromkeys((Status.FAILED, Status.CANCELLED), Status.QUEUED),
    ),
    "replay": (lambda _: replay_where(EVERYTHING), {}),
    "heartbeat": (lambda job_id: heartbeat({LEASE: job_id}, 30.0), {}),
    "progress": (lambda job_id: report_progress([Progress(job_id, LEASE, 0.5, "")]), {}),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("status", list(Status))
def test_an_operation_moves_only_what_it_may(operation: str, status: Status) -> None:
    run, moves = OPERATIONS[operation]
    job = job_in(status)
    if operation == "expire":
        Job.objects.update(expires_at=Now())
    before = Job.objects.values().get()
    run(job.id)
    after = Job.objects.values().get(id=job.id)
    if status in moves:
        assert after["status"] == moves[status]
        assert moves[status] in TRANSITIONS[status]
    elif (operation, status) in {
        ("ask to cancel", Status.IN_PROGRESS),
        ("heartbeat", Status.IN_PROGRESS),
        ("progress", Status.IN_PROGRESS),
    }:
        assert after["status"] == status
        assert after != before
    else:
        assert after == before


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize(
    "broken",
    [
        {"status": "LOST"},
        {"priority": 11},
        {"progress": 1.5},
        {"lease_expires_at": None, "status": Status.IN_PROGRESS},
        {"status": Status.COMPLETED, "completed_at": None},
        {"status": Status.QUEUED, "queued_at": None},
        {"error_message": "but not failed", "status": Status.QUEUED},
        {"attempt": 1, "started_at": None},
    ],
)
def test_the_database_refuses_an_impossible_row(status: Status, broken: dict[str, object]) -> None:
    job = job_in(status)
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(id=job.id).update(**broken)
