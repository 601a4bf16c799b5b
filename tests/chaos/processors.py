"""Job types of the chaos run. Each writes start and effect, with its lease, into the ledger."""

import ctypes
import os
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from jobs import storage
from jobs.media.errors import Stopped
from jobs.media.limits import Limits
from jobs.media.run import run
from jobs.media.tail import Tail
from jobs.outcomes import Backoff, Completed, Failed, Interrupted, Metrics, Outcome, Retry
from jobs.processors.contract import Context, RetryPolicy, TimeLimits
from tests.chaos import points

NOTHING = Metrics(peak_cpu_usage=1, memory_usage_mb=1, processing_time_seconds=0.0)
BLOCK = 64 << 20
SLEEP = shutil.which("sleep") or "/usr/bin/sleep"


class _Job:
    """What all have in common."""

    retry_policy = RetryPolicy(backoff=Backoff(base_seconds=0.2, cap_seconds=1.0))
    limits = TimeLimits()

    def validate(self, source_file: str, target_format: str, parameters: Mapping[str, Any]) -> None:
        """Whatever it is."""

    def run(self, context: Context) -> Outcome:
        """Say so, work, say so."""
        tell("start", context)
        points.here.reach("processor.start")
        outcome = self.work(context)
        if isinstance(outcome, Completed):
            tell("effect", context)
            points.here.reach("processor.effect")
        return outcome

    def work(self, context: Context) -> Outcome:
        """What the job is."""
        return done(context)


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


class Quick(_Job):
    """Done at once."""

    job_type = "quick"


class Wait(_Job):
    """Takes `seconds`. `deaf`: does not listen when it is to stop."""

    job_type = "wait"

    def work(self, context: Context) -> Outcome:
        """Wait."""
        parameters = context.attempt.parameters
        if parameters.get("deaf"):
            threading.Event().wait(parameters["seconds"])
        elif context.wait(parameters["seconds"]):
            return Interrupted()
        return done(context)


class Flaky(_Job):
    """Fails before attempt number `succeeds_on`."""

    job_type = "flaky"

    def work(self, context: Context) -> Outcome:
        """Fail, or not."""
        if context.attempt.number < context.attempt.parameters["succeeds_on"]:
            return Retry("not this time", code="not_yet")
        return done(context)


class Broken(_Job):
    """Fails for good."""

    job_type = "broken"

    def work(self, context: Context) -> Outcome:
        """Fail."""
        return Failed("never", code="hopeless")


class Raising(_Job):
    """Raises an exception, every time."""

    job_type = "raising"

    def work(self, context: Context) -> Outcome:
        """Fail."""
        raise RuntimeError("boom")


class File(_Job):
    """Makes an output file, as a transcode does: a fenced child, a `.part`, its name at the end.

    The child sleeps for a time that ends with the digits of this run, so that it can be found.
    """

    job_type = "file"

    def work(self, context: Context) -> Outcome:
        """Write."""
        attempt = context.attempt
        output = storage.output_path(attempt.job_id, attempt.lease, "txt")
        unfinished = output.with_suffix(".part")
        unfinished.write_text("half of it")
        try:
            run(
                [SLEEP, f"{attempt.parameters['seconds']:.2f}{os.environ['CHAOS_MARK']}"],
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


class Poison(_Job):
    """Ruins its worker, as `how` says."""

    job_type = "poison"

    def work(self, context: Context) -> Outcome:
        """Ruin it."""
        how = context.attempt.parameters["how"]
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
