"""What an attempt comes to when its processor raises, and what its retry policy says of that."""

import threading
from uuid import uuid4

import pytest

from jobs.outcomes import Backoff, Completed, Failed, Interrupted, Outcome, Retry, Snooze
from jobs.processors.contract import Context, LeaseLost, RetryPolicy
from jobs.processors.declaration import Processor, processor
from jobs.processors.parameters import NoParameters
from jobs.worker.checkpoints import Checkpoints
from jobs.worker.execution import Execution
from jobs.worker.executor import execute
from jobs.worker.patience import Patience
from tests.rows import DONE, attempt

BUT_FOR_MISSING = RetryPolicy(retry_on=(OSError,), permanent=(FileNotFoundError,))


class Mute(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise ValueError("no text")


def coming_to(come: BaseException | Outcome, policy: RetryPolicy) -> Processor:
    """A job type that raises, or returns, this."""

    @processor("noop", retry=policy)
    def work(context: Context, parameters: NoParameters) -> Outcome:
        if isinstance(come, BaseException):
            raise come
        return come

    return work


def outcome_of(come: BaseException | Outcome, policy: RetryPolicy = RetryPolicy()) -> Outcome:  # noqa: B008
    """Run it once."""
    thread = threading.current_thread()
    execution = Execution(attempt(uuid4(), 1), 0.0, thread, Checkpoints(Patience()))
    return execute(execution, {"noop": coming_to(come, policy)}, quiet=True)


def test_an_exception_is_a_retry_with_its_traceback() -> None:
    outcome = outcome_of(ConnectionError("refused"))
    assert isinstance(outcome, Retry)
    assert (outcome.error, outcome.code) == ("ConnectionError: refused", "exception")
    assert outcome.traceback.startswith("Traceback (most recent call last):")
    assert "raise come" in outcome.traceback
    assert outcome.traceback.strip().endswith("ConnectionError: refused")


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), RecursionError()])
def test_nothing_that_a_processor_raises_ends_the_thread(error: BaseException) -> None:
    assert isinstance(outcome_of(error), Retry)


def test_an_exception_without_a_text_is_told_by_its_name() -> None:
    outcome = outcome_of(Mute())
    assert isinstance(outcome, Retry)
    assert outcome.error == "Mute"


@pytest.mark.parametrize(
    ("policy", "error", "retried"),
    [
        (RetryPolicy(permanent=(ValueError,)), ValueError("bad"), False),
        (RetryPolicy(permanent=(ValueError,)), UnicodeDecodeError("a", b"", 0, 0, ""), False),
        (RetryPolicy(permanent=(ValueError,)), OSError("away"), True),
        (RetryPolicy(retry_on=(OSError,)), ConnectionError("away"), True),
        (RetryPolicy(retry_on=(OSError,)), ValueError("bad"), False),
        (BUT_FOR_MISSING, OSError("away"), True),
        (BUT_FOR_MISSING, FileNotFoundError("gone"), False),
    ],
)
def test_the_policy_says_what_is_worth_another_attempt(
    policy: RetryPolicy, error: Exception, retried: bool
) -> None:
    outcome = outcome_of(error, policy)
    assert isinstance(outcome, Retry if retried else Failed)
    assert outcome.code == "exception"
    assert type(error).__name__ in outcome.traceback


def test_a_retry_gets_the_backoff_of_its_type_and_keeps_the_rest() -> None:
    policy = RetryPolicy(backoff=Backoff(7.0, 9.0))
    outcome = outcome_of(Retry("busy", "busy", after=3.0, traceback="line 7"), policy)
    assert outcome == Retry("busy", "busy", Backoff(7.0, 9.0), after=3.0, traceback="line 7")


def test_a_retry_with_a_backoff_of_its_own_keeps_it() -> None:
    own = Retry("busy", backoff=Backoff(1.0))
    assert outcome_of(own, RetryPolicy(backoff=Backoff(7.0))) is own


def test_other_outcomes_pass() -> None:
    assert outcome_of(Snooze(1.0)) == Snooze(1.0)


def test_who_stops_without_being_told_pays_for_it() -> None:
    outcome = outcome_of(Interrupted())
    assert isinstance(outcome, Retry)
    assert outcome.code == "interrupted"
    assert outcome_of(LeaseLost()) == outcome


class Undecided(dict[str, int]):
    """As arrays of numbers are: neither true nor false."""

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")


def test_a_result_that_is_neither_true_nor_false_fails_its_own_job() -> None:
    outcome = outcome_of(Completed(DONE.metrics, Undecided()))
    assert isinstance(outcome, Failed)
    assert outcome.code == "bad_result"
