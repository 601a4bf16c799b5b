"""Job types of the chaos run. Each writes start and effect, with its lease, into the ledger."""

import ctypes
import os
import shutil
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from jobs import storage
from jobs.media.errors import Stopped
from jobs.media.limits import Limits
from jobs.media.run import run
from jobs.media.tail import Tail
from jobs.outcomes import Backoff, Completed, Failed, Interrupted, Metrics, Outcome, Retry
from jobs.processors.contract import Context, RetryPolicy
from jobs.processors.declaration import Processor, processor
from jobs.processors.parameters import Declared
from tests.chaos import points

NOTHING = Metrics(peak_cpu_usage=1, memory_usage_mb=1, processing_time_seconds=0.0)
BLOCK = 64 << 20
P = TypeVar("P", bound=Declared)
SLEEP = shutil.which("sleep") or "/usr/bin/sleep"


SOON = RetryPolicy(backoff=Backoff(base_seconds=0.2, cap_seconds=1.0))

Work = Callable[[Context, P], Outcome]


class Told(Declared):
    """What every job is told. token: finds it again."""

    token: str


def job_type(name: str, parameters: type[P]) -> Callable[[Work[P]], Processor]:
    """Make a job type that says when it starts and what it has done."""

    def declared(work: Work[P]) -> Processor:
        def run(context: Context, parameters: P) -> Outcome:
            tell("start", context)
            points.here.reach("processor.start")
            outcome = work(context, parameters)
            if isinstance(outcome, Completed):
                tell("effect", context)
                points.here.reach("processor.effect")
            return outcome

        return processor(name, parameters=parameters, retry=SOON)(run)

    return declared


def tell(what: str, context: Context) -> None:
    """Write into the ledger that an attempt is so far."""
    attempt = context.attempt
    points.here.tell(
        what,
        job=str(attempt.job_id),
        lease=attempt.lease,
        attempt=attempt.number,
        priority=attempt.priority,
        type=attempt.job_type,
        thread=threading.current_thread().name,
    )


def done(context: Context) -> Completed:
    """The result names the lease that made it."""
    return Completed(NOTHING, {"lease": context.attempt.lease})


@job_type("quick", Told)
def quick(context: Context, parameters: Told) -> Outcome:
    """Done at once."""
    return done(context)


class Waiting(Told):
    """How long. deaf: it does not listen when it is to stop."""

    seconds: float
    deaf: bool = False


@job_type("wait", Waiting)
def wait(context: Context, parameters: Waiting) -> Outcome:
    """Take so long."""
    if parameters.deaf:
        threading.Event().wait(parameters.seconds)
    elif context.wait(parameters.seconds):
        return Interrupted()
    return done(context)


class Failing(Told):
    """Until which attempt."""

    succeeds_on: int


@job_type("flaky", Failing)
def flaky(context: Context, parameters: Failing) -> Outcome:
    """Fail before attempt number `succeeds_on`."""
    if context.attempt.number < parameters.succeeds_on:
        return Retry("not this time", code="not_yet")
    return done(context)


@job_type("broken", Told)
def broken(context: Context, parameters: Told) -> Outcome:
    """Fail for good."""
    return Failed("never", code="hopeless")


@job_type("raising", Told)
def raising(context: Context, parameters: Told) -> Outcome:
    """Raise an exception, every time."""
    raise RuntimeError("boom")


@job_type("file", Waiting)
def file(context: Context, parameters: Waiting) -> Outcome:
    """Make an output file, as a transcode does: a fenced child, a `.part`, its name at the end.

    The child sleeps for a time that ends with the digits of this run, so that it can be found.
    """
    attempt = context.attempt
    output = storage.output_path(attempt.job_id, attempt.lease, "txt")
    unfinished = output.with_suffix(".part")
    unfinished.write_text("half of it")
    try:
        run(
            [SLEEP, f"{parameters.seconds:.2f}{os.environ['CHAOS_MARK']}"],
            limits=Limits(sandbox="none"),
            wall_seconds=60,
            stderr=Tail(),
            on_stdout=lambda _: None,
            stop=context.stopped,
        )
    except Stopped:
        unfinished.unlink()
        return Interrupted()
    unfinished.rename(output)
    name = output.relative_to(storage.outputs_root())
    return Completed(NOTHING, {"lease": attempt.lease, "output": str(name)}, output)


class Poisoning(Told):
    """In which way."""

    how: str


@job_type("poison", Poisoning)
def poison(context: Context, parameters: Poisoning) -> Outcome:
    """Ruin its worker, as `how` says."""
    how = parameters.how
    points.here.tell("fault", kind="poison", name=f"poison {how}", seconds=0)
    _RUIN[how]()
    return done(context)


def _recurse() -> None:
    class Endless:
        def __repr__(self) -> str:
            return repr(self)

    sys.setrecursionlimit(10**8)
    repr(Endless())


def _eat() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(BLOCK))


_RUIN: dict[str, Callable[[], object]] = {
    "segfault": lambda: ctypes.string_at(0),
    "exit": lambda: os._exit(9),
    "sys.exit": lambda: sys.exit("a library that thinks it is a program"),
    "recurse": _recurse,
    "eat": _eat,
}
# A worker dies of these; of the others the attempt only fails.
DEADLY = ("segfault", "exit")
HOWS = tuple(_RUIN)
