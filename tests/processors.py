"""Job types for tests of the engine: each does one thing, and tells about it in files."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
from jobs.processors.contract import Context, RetryPolicy, TimeLimits

NOTHING = Metrics(peak_cpu_usage=0, memory_usage_mb=1, processing_time_seconds=0.0)


class _Accepting:
    retry_policy = RetryPolicy(backoff=Backoff(base_seconds=0.1))
    limits = TimeLimits()

    def validate(self, source_file: str, target_format: str, parameters: Mapping[str, Any]) -> None:
        """Whatever it is."""


class Noop(_Accepting):
    """Done at once."""

    job_type = "noop"

    def run(self, context: Context) -> Outcome:
        """Nothing."""
        return Completed(NOTHING)


class Hold(_Accepting):
    """Says that it started, and ends once `release` exists in the folder `parameters["folder"]`."""

    job_type = "hold"

    def run(self, context: Context) -> Outcome:
        """Write `<job>.<lease>`, wait; with `deaf`, do not listen to the worker."""
        attempt = context.attempt
        folder = Path(attempt.parameters["folder"])
        (folder / f"{attempt.job_id}.{attempt.lease}").write_text(str(os.getpid()))
        context.report(0.5, "half way")
        while not (folder / "release").exists():
            if context.wait(0.01) and not attempt.parameters.get("deaf"):
                return Interrupted()
        return Completed(NOTHING, {"lease": attempt.lease})


class Fail(_Accepting):
    """Fails as `parameters["how"]` says: retry, permanent, raise, overlong, unstorable."""

    job_type = "fail"

    def run(self, context: Context) -> Outcome:
        """Fail."""
        match context.attempt.parameters["how"]:
            case "retry":
                return Retry("not this time", code="not_yet")
            case "permanent":
                return Failed("never \x00 at all", code="hopeless")
            case "overlong":
                return Failed("the code does not fit its column", code="c" * 80)
            case "unstorable":
                return Completed(NOTHING, {"text": "a\x00b"})
            case _:
                raise RuntimeError("boom")


class Remember(_Accepting):
    """Counts in a step, saves a state, and breaks off as `parameters["how"]` says: once."""

    job_type = "remember"

    def run(self, context: Context) -> Outcome:
        """Append a line to `counted` in `parameters["folder"]`, once a job."""
        attempt = context.attempt
        counted = Path(attempt.parameters["folder"]) / "counted"

        def count() -> dict[str, Any]:
            with counted.open("a") as file:
                file.write("x")
            return {"lease": attempt.lease, "pair": (1, 2)}

        first = context.step("count", count)
        if (state := context.checkpoint()) is not None:
            return Completed(NOTHING, {"count": first, "state": state})
        context.save({"lease": attempt.lease, "position": 17})
        match attempt.parameters["how"]:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "overlong":
                context.save({"text": "x" * 70_000})
            case "lose":
                while not context.wait(0.01):
                    pass
                context.save({"position": 99})
        return Retry("once more", code="not_yet")


class Die(_Accepting):
    """Kills its own worker process."""

    job_type = "die"

    def run(self, context: Context) -> Outcome:
        """SIGKILL."""
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


class Script(_Accepting):
    """Comes to `parameters["script"]`, a word an attempt: retry, after, snooze, cancel, raise,
    refuse, done. Counts its attempts in `parameters["folder"]`."""

    job_type = "script"
    retry_policy = RetryPolicy(backoff=Backoff(base_seconds=0.1), permanent=(PermissionError,))

    def run(self, context: Context) -> Outcome:
        """What the script says of this attempt."""
        attempt = context.attempt
        folder = Path(attempt.parameters["folder"])
        number = len(list(folder.glob(f"{attempt.job_id}.*")))
        (folder / f"{attempt.job_id}.{attempt.lease}").touch()
        match attempt.parameters["script"][number]:
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
