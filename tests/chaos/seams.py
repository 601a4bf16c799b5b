"""Where the chaos worker takes hold of the engine: its functions, wrapped where they are imported.

The production code knows nothing of this. Every wrapper names its points and writes what the
database has answered into the ledger.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from jobs.outcomes import Outcome
from jobs.processors.declaration import Processor
from jobs.queue.claim import Demand, Position
from jobs.queue.finish import Finished
from jobs.queue.step import Stepped
from jobs.worker import deadlines, heartbeat, maintenance, pool, settlement, steps
from jobs.worker.execution import Execution
from tests.chaos import points
from tests.chaos.clock import now
from tests.chaos.wrapping import wrap


def install() -> None:
    """Wrap. Once, before the worker starts."""
    wrap(steps, "step", _step)
    wrap(pool, "execute", _execute)
    for module in (settlement, heartbeat, deadlines):
        wrap(module, "finish", _finish)
    wrap(heartbeat, "heartbeat", _heartbeat)
    wrap(maintenance, "rescue", _rescue)
    wrap(maintenance, "promote", _promote)


def _step(original: Callable[..., Stepped]) -> Callable[..., Stepped]:
    serving = threading.Event()

    def step(
        finished: list[Finished], demand: Demand, want: int, after: Mapping[int, Position]
    ) -> Stepped:
        if not serving.is_set():
            serving.set()
            points.here.tell("serving")
        if finished:
            points.here.reach("finish.before")
        points.here.reach("claim.before")
        began = now()
        try:
            stepped = original(finished, demand, want, after)
        except BaseException:
            points.here.tell("unanswered", began=began)
            raise
        if finished:
            _settled(finished, stepped.lost)
        if stepped.claimed:
            points.here.tell(
                "claim",
                began=began,
                want=want,
                lowest=demand.lowest,
                highest=demand.highest,
                got=[(str(one.job_id), one.lease, one.number) for one in stepped.claimed],
            )
        if finished:
            points.here.reach("finish.after_commit")
        if stepped.claimed:
            points.here.reach("claim.after_commit")
        return stepped

    return step


def _finish(original: Callable[..., set[int]]) -> Callable[..., set[int]]:
    def finish(finished: list[Finished]) -> set[int]:
        points.here.reach("finish.before")
        lost = original(finished)
        _settled(finished, lost)
        points.here.reach("finish.after_commit")
        return lost

    return finish


def _settled(finished: list[Finished], lost: set[int]) -> None:
    points.here.tell(
        "settled",
        jobs=[
            (str(attempt.job_id), attempt.lease, type(outcome).__name__)
            for attempt, outcome in finished
            if attempt.lease not in lost
        ],
        lost=sorted(lost),
    )


def _execute(original: Callable[..., Outcome]) -> Callable[..., Outcome]:
    def execute(execution: Execution, processors: dict[str, Processor], *, quiet: bool) -> Outcome:
        attempt = execution.attempt
        outcome = original(execution, processors, quiet=quiet)
        points.here.tell(
            "end", job=str(attempt.job_id), lease=attempt.lease, outcome=type(outcome).__name__
        )
        points.here.reach("processor.end")
        return outcome

    return execute


def _heartbeat(original: Callable[..., set[int]]) -> Callable[..., set[int]]:
    def heartbeat(held: dict[int, UUID], lease_seconds: float) -> set[int]:
        points.here.reach("heartbeat.before")
        lost = original(held, lease_seconds)
        points.here.reach("heartbeat.after_commit")
        return lost

    return heartbeat


def _rescue(original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def rescue(lease_seconds: float, most_lost_leases: int) -> list[Any]:
        points.here.reach("rescue.before")
        rescued = original(lease_seconds, most_lost_leases)
        if rescued:
            points.here.tell("rescued", jobs=[str(job_id) for job_id, *_ in rescued])
            points.here.reach("rescue.after_commit")
        return rescued

    return rescue


def _promote(original: Callable[[], int]) -> Callable[[], int]:
    def promote() -> int:
        points.here.reach("promote.before")
        promoted = original()
        if promoted:
            points.here.reach("promote.after_commit")
        return promoted

    return promote
