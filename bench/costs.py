"""What a claim and a completion cost in a table as it stands."""

import statistics

from jobs.outcomes import Completed, Metrics
from jobs.queue.claim import Demand, Position
from jobs.queue.finish import Finished
from jobs.queue.rescue import rescue
from jobs.queue.step import step
from jobs.queue.submit import NewJob, submit
from tests.explained import Cost, claims, completions, explained, rescues

PRIORITY = 9
DEMAND = Demand(7, 10, "bench", 30.0)
DONE = Completed(Metrics(peak_cpu_usage=0, memory_usage_mb=0, processing_time_seconds=0.0))
NEW = NewJob("noop", "a.mp4", "avi", {"text": "x" * 180}, PRIORITY)
SAMPLES = 40
LEASE_SECONDS = 30.0
MOST_LOST_LEASES = 3

Figures = dict[str, float]


def claim_and_complete() -> Figures:
    """The middle one of some claims of one job, and of some completions."""
    with explained() as costs:
        for _ in range(SAMPLES):
            submit(NEW)
            [claimed] = step([], DEMAND, 1).claimed
            step([Finished(claimed, DONE)], DEMAND, 0)
    # The first ones plan the statements and read the indexes' upper pages.
    return {
        **_middle("claim", claims(costs)[SAMPLES // 4 :]),
        **_middle("complete", completions(costs)[SAMPLES // 4 :]),
    }


def looks(samples: int = 5) -> Figures:
    """A claim that looks at everything, one behind its bound, and a rescue; beside a busy worker.

    The worker may be faster and leave nothing to claim; what is looked at is the same.
    """
    everything, behind, rescued = [], [], []
    for _ in range(samples):
        job = submit(NEW)
        assert job.queued_at is not None  # noqa: S101 - it is due now
        bound = {PRIORITY: Position(job.queued_at.isoformat(), str(job.id))}
        behind += _claim(bound)
        everything += _claim({})
        with explained() as costs:
            rescue(LEASE_SECONDS, MOST_LOST_LEASES)
        rescued += rescues(costs)
    return {
        **_middle("everything", everything),
        **_middle("behind", behind),
        **_middle("rescue", rescued),
    }


def _claim(after: dict[int, Position]) -> list[Cost]:
    with explained() as costs:
        claimed = step([], DEMAND, 1, after).claimed
    step([Finished(one, DONE) for one in claimed], DEMAND, 0)
    return claims(costs)


def _middle(name: str, costs: list[Cost]) -> Figures:
    return {
        f"{name}_buffers": statistics.median(cost.buffers for cost in costs),
        f"{name}_ms": round(statistics.median(cost.milliseconds for cost in costs), 3),
    }
