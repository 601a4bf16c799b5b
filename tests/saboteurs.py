"""Job types for tests that break a part of their own worker process."""

from pathlib import Path
from typing import Any, Literal

from jobs import storage
from jobs.outcomes import Completed, Outcome
from jobs.processors.contract import Context
from jobs.processors.declaration import processor
from jobs.processors.parameters import Declared
from jobs.worker import heartbeat, pool
from tests.processors import NOTHING, SOON


class SabotageParameters(Declared):
    """Which part to break."""

    what: Literal["thread", "heartbeat", "storage"]


@processor("sabotage", parameters=SabotageParameters, retry=SOON)
def sabotage(context: Context, parameters: SabotageParameters) -> Outcome:
    """Have it fail from now on."""
    match parameters.what:
        case "thread":
            vars(pool)["clean_up"] = _broken
        case "heartbeat":
            vars(heartbeat)["heartbeat"] = _broken
        case "storage":
            vars(storage)["remove_leftovers"] = _stale
    return Completed(NOTHING, output=Path("anywhere"))


def _broken(*arguments: Any) -> Any:
    raise RuntimeError("broken")


def _stale(*arguments: Any) -> Any:
    raise OSError("stale file handle")


class ReportParameters(Declared):
    """What to report as progress."""

    progress: Any
    message: Any = ""


@processor("report", parameters=ReportParameters, retry=SOON)
def report(context: Context, parameters: ReportParameters) -> Outcome:
    """Report it, and take long enough that it is written."""
    context.report(parameters.progress, parameters.message)
    context.wait(1.5)
    return Completed(NOTHING)
