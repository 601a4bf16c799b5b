"""Job types for tests of the engine: each does one thing, and tells about it in files."""

import os
import signal
from pathlib import Path
from typing import Any, Literal

from jobs.outcomes import (
    Backoff,
    Cancel,
    Completed,
    Failed,
    Interrupted,
    Metrics,
    Outcome,
    Retry,
    Snooze,
)
from jobs.processors.contract import Context, RetryPolicy
from jobs.processors.declaration import processor
from jobs.processors.parameters import Declared, NoParameters

NOTHING = Metrics(peak_cpu_usage=0, memory_usage_mb=1, processing_time_seconds=0.0)
SOON = RetryPolicy(backoff=Backoff(base_seconds=0.1))


@processor("noop", retry=SOON)
def noop(context: Context, parameters: NoParameters) -> Outcome:
    """Done at once."""
    return Completed(NOTHING)


@processor("urgent", retry=SOON, priority=9)
def urgent(context: Context, parameters: NoParameters) -> Outcome:
    """Done at once, and before others."""
    return Completed(NOTHING)


class HoldParameters(Declared):
    """Where to say so and to wait."""

    folder: str
    deaf: bool = False


@processor("hold", parameters=HoldParameters, retry=SOON)
def hold(context: Context, parameters: HoldParameters) -> Outcome:
    """Say that it started, and end once `release` exists in the folder.

    Writes `<job>.<lease>` and waits; `deaf`: does not listen to the worker.
    """
    attempt = context.attempt
    folder = Path(parameters.folder)
    (folder / f"{attempt.job_id}.{attempt.lease}").write_text(str(os.getpid()))
    context.report(0.5, "half way")
    while not (folder / "release").exists():
        if context.wait(0.01) and not parameters.deaf:
            return Interrupted()
    return Completed(NOTHING, {"lease": attempt.lease})


class FailParameters(Declared):
    """In which way."""

    how: Literal["retry", "permanent", "raise", "overlong", "unstorable"]


@processor("fail", parameters=FailParameters, retry=SOON)
def fail(context: Context, parameters: FailParameters) -> Outcome:
    """Fail."""
    match parameters.how:
        case "retry":
            return Retry("not this time", code="not_yet")
        case "permanent":
            return Failed("never \x00 at all", code="hopeless")
        case "overlong":
            return Failed("the code does not fit its column", code="c" * 80)
        case "unstorable":
            return Completed(NOTHING, {"text": "a\x00b"})
        case "raise":
            raise RuntimeError("boom")


class RememberParameters(Declared):
    """Where to count, and how to break off: once."""

    folder: str
    how: str


@processor("remember", parameters=RememberParameters, retry=SOON)
def remember(context: Context, parameters: RememberParameters) -> Outcome:
    """Count in a step, save a state, and break off.

    Appends a letter to `counted` in the folder, once a job.
    """
    attempt = context.attempt
    counted = Path(parameters.folder) / "counted"

    def count() -> dict[str, Any]:
        with counted.open("a") as file:
            file.write("x")
        return {"lease": attempt.lease, "pair": (1, 2)}

    first = context.step("count", count)
    if (state := context.checkpoint()) is not None:
        return Completed(NOTHING, {"count": first, "state": state})
    context.save({"lease": attempt.lease, "position": 17})
    match parameters.how:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "overlong":
            context.save({"text": "x" * 70_000})
        case "lose":
            while not context.wait(0.01):
                pass
            context.save({"position": 99})
    return Retry("once more", code="not_yet")


@processor("die", retry=SOON)
def die(context: Context, parameters: NoParameters) -> Outcome:
    """Kill its own worker process."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


class ScriptParameters(Declared):
    """What each attempt comes to, and where to count them."""

    folder: str
    script: list[str]


@processor(
    "script",
    parameters=ScriptParameters,
    retry=RetryPolicy(backoff=Backoff(base_seconds=0.1), permanent=(PermissionError,)),
)
def script(context: Context, parameters: ScriptParameters) -> Outcome:
    """Come to what the script says of this attempt: retry, after, snooze, cancel, raise, refuse,
    done."""
    attempt = context.attempt
    folder = Path(parameters.folder)
    number = len(list(folder.glob(f"{attempt.job_id}.*")))
    (folder / f"{attempt.job_id}.{attempt.lease}").touch()
    match parameters.script[number]:
        case "retry":
            return Retry("not this time", code="not_yet")
        case "after":
            return Retry("come back later", code="busy", after=1.0)
        case "snooze":
            return Snooze(0.1, "the source is still growing")
        case "cancel":
            return Cancel("nobody wants it")
        case "raise":
            raise RuntimeError("boom")
        case "refuse":
            raise PermissionError("not yours")
        case _:
            return Completed(NOTHING)
