"""jobs.testing: what it promises to those who test their job types with it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.models import JobMetrics
from jobs.outcomes import Cancel, Completed, Failed, Interrupted, Outcome, Retry
from jobs.processors.contract import Context, Invalid, RetryPolicy
from jobs.processors.declaration import processor
from jobs.processors.parameters import Declared, NoParameters
from jobs.processors.simulate import simulate
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from jobs.testing import RecordingContext, run, work_off
from tests.processors import NOTHING


class CountParameters(Declared):
    to: int = 3


@processor("count", parameters=CountParameters, retry=RetryPolicy(max_attempts=2))
def count(context: Context, parameters: CountParameters) -> Outcome:
    """Count, and remember how far."""
    state = context.checkpoint() or {"done": 0}
    for number in range(state["done"], parameters.to):
        if context.wait(60):
            return Interrupted()
        context.report((number + 1) / parameters.to, f"number {number + 1}")
        context.save({"done": number + 1})
    return Completed(NOTHING, {"first": context.step("first", lambda: context.attempt.number)})


def test_no_time_passes_and_everything_is_recorded() -> None:
    context = RecordingContext()

    outcome = run(count, parameters={"to": 2}, context=context)

    assert outcome == Completed(NOTHING, {"first": 1})
    assert context.waits == [60, 60]
    assert context.reports == [(0.5, "number 1"), (1.0, "number 2")]
    assert (context.state, context.steps) == ({"done": 2}, {"first": 1})


def test_the_same_context_is_the_next_attempt() -> None:
    context = RecordingContext(stop_at=0.5)
    assert run(count, parameters={"to": 4}, context=context) == Interrupted()
    first = context.attempt

    context.stop_at = None
    outcome = run(count, parameters={"to": 4}, context=context)

    assert outcome == Completed(NOTHING, {"first": 2})
    assert [message for _, message in context.reports] == [f"number {n}" for n in range(1, 5)]
    assert (first.id, first.number) == (context.attempt.id, 1)
    assert context.attempt.lease != first.lease


def test_an_attempt_is_stopped_as_the_worker_would() -> None:
    assert run(count, context=RecordingContext(cancel_at=0.5)) == Cancel()
    late = run(count, context=RecordingContext(time_out_at=0))
    assert isinstance(late, Retry)
    assert late.code == "timed_out"


def test_an_exception_is_what_a_worker_makes_of_it() -> None:
    @processor("raising")
    def raising(context: Context, parameters: NoParameters) -> Outcome:
        raise RuntimeError("boom")

    outcome = run(raising)

    assert isinstance(outcome, Retry)
    assert outcome.error == "RuntimeError: boom"


def test_what_cannot_be_a_result_is_seen() -> None:
    @processor("odd")
    def odd(context: Context, parameters: NoParameters) -> Outcome:
        return Completed(NOTHING, {"object": object()})

    outcome = run(odd)

    assert isinstance(outcome, Failed)
    assert outcome.code == "bad_result"


def test_what_the_api_refuses_is_refused() -> None:
    with pytest.raises(Invalid):
        run(count, parameters={"to": "3"})
    with pytest.raises(Invalid):
        run(simulate, source="a.mp4", target="exe")


@pytest.mark.django_db
def test_the_queue_is_worked_off_in_its_order() -> None:
    low = submit(NewJob("noop", priority=1))
    high = submit(NewJob("noop", priority=9))
    broken = submit(NewJob("fail", parameters={"how": "permanent"}))
    later = submit(NewJob("noop", scheduled_at=timezone.now() + timedelta(days=1)))

    worked = work_off()

    assert [job.id for job in worked] == [high.id, broken.id, low.id]
    assert [job.status for job in worked] == [Status.COMPLETED, Status.FAILED, Status.COMPLETED]
    assert JobMetrics.objects.count() == 2
    assert [job.id for job in work_off(early=True)] == [later.id]
    assert work_off() == []


@pytest.mark.django_db
def test_retries_are_waited_for_only_on_request() -> None:
    submit(NewJob("fail", parameters={"how": "retry"}, max_attempts=3))

    [job] = work_off()
    assert (job.status, job.attempt) == (Status.PENDING, 1)
    [job] = work_off(early=True)
    assert (job.status, job.attempt, job.error_code) == (Status.FAILED, 3, "not_yet")
