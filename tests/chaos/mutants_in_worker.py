"""Known bugs that are put back in the Python of a worker."""

import re
import threading
import time
from functools import partial
from typing import Any

from tests.chaos.changed import Unchanged, changed
from tests.chaos.wrapping import wrap


def rescue_without_recheck() -> None:
    """Look for lost leases first, and take them without another look."""
    from jobs.queue import rescue as module
    from jobs.queue.database import fetch
    from jobs.worker import maintenance
    from tests.chaos import points

    found = re.search(
        r"WITH lost AS MATERIALIZED \((.*?)\), (rescued AS .*)", module._RESCUE, re.DOTALL
    )
    if found is None:
        raise Unchanged("the rescue has no materialized pick")
    select = changed(found[1], "FOR NO KEY UPDATE SKIP LOCKED", "")
    update = changed(
        "WITH " + found[2],
        "FROM lost WHERE job.id = lost.id",
        "WHERE job.id = ANY(%(ids)s)",
    )

    def rescue(lease_seconds: float, most_lost_leases: int) -> list[tuple[str, str, str]]:
        values = {"lease_seconds": lease_seconds, "most": most_lost_leases, "batch": module.BATCH}
        ids = [job for (job,) in fetch(select, values)]
        if not ids:
            return []
        points.here.reach("rescue.between")
        rows = fetch(update, {"most": most_lost_leases, "ids": ids})
        return [(str(job), status, worker) for job, status, _, worker in rows]

    wrap(maintenance, "rescue", lambda _: rescue)


def rescue_that_executes() -> None:
    """Run what was rescued, there and then."""
    from jobs.attempt import Attempt
    from jobs.models import Job
    from jobs.processors.registry import processors
    from jobs.worker import maintenance
    from jobs.worker.checkpoints import Checkpoints
    from jobs.worker.execution import Execution
    from jobs.worker.patience import Patience

    def rescue(original: Any, lease_seconds: float, most_lost_leases: int) -> Any:
        rescued = original(lease_seconds, most_lost_leases)
        for job_id, _, _ in rescued:
            job = Job.objects.get(id=job_id)
            attempt = Attempt(
                str(job.id),
                0,
                job.attempt,
                job.max_attempts,
                job.job_type,
                "",
                "",
                job.priority,
                job.parameters,
            )
            execution = Execution(attempt, 0.0, threading.current_thread(), Checkpoints(Patience()))
            processors()[job.job_type].run(execution)
        return rescued

    wrap(maintenance, "rescue", lambda original: partial(rescue, original))


def clock_of_the_worker() -> None:
    """Compare expiries with this process's clock."""
    from jobs.queue import rescue

    rescue._RESCUE = changed(
        rescue._RESCUE,
        "lease_expires_at < clock_timestamp()",
        "lease_expires_at < to_timestamp(%(now)s)",
    )
    wrap(
        rescue, "fetch", lambda fetch: lambda sql, values: fetch(sql, values | {"now": time.time()})
    )


def metrics_afterwards() -> None:
    """Write the metrics once the finish is committed."""
    from jobs.models import JobMetrics
    from jobs.outcomes import Completed
    from jobs.worker import steps
    from tests.chaos import points

    def step(original: Any, finished: list[Any], *others: Any) -> Any:
        stepped = original(finished, *others)
        if finished:
            points.here.reach("finish.after_commit")
        for attempt, outcome in finished:
            if isinstance(outcome, Completed) and attempt.lease not in stepped.lost:
                JobMetrics.objects.get_or_create(
                    job_id=attempt.job_id,
                    defaults={
                        "peak_cpu_usage": outcome.metrics.peak_cpu_usage,
                        "memory_usage_mb": outcome.metrics.memory_usage_mb,
                        "processing_time_seconds": outcome.metrics.processing_time_seconds,
                    },
                )
        return stepped

    wrap(steps, "step", lambda original: partial(step, original))


def no_polling() -> None:
    """Wait for signals alone."""
    from django.conf import settings

    settings.WORKER_POLL_SECONDS = 10.0**6


def rescue_costs_nothing() -> None:
    """A rescue need not take back an attempt that was not counted."""
    from jobs.queue import rescue

    rescue._RESCUE = changed(rescue._RESCUE, "attempt = job.attempt - 1", "attempt = job.attempt")
