"""Known bugs, each put back by changing the engine's text where it stands.

A change whose place is not found raises: a mutant that is none would be caught by nobody.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from tests.chaos import mutant_plans
from tests.chaos.plan import Plan
from tests.chaos.wrapping import wrap

Database = psycopg.Connection[Any]


class Unchanged(Exception):
    """The text that a mutant changes is not there: the mutant must follow the engine."""


@dataclass(frozen=True)
class Mutant:
    """A bug. plan: what brings it to light. in_database and in_worker: how it is put back."""

    bug: str
    plan: Callable[[], Plan]
    in_database: Callable[[Database], object] = lambda _: None
    in_worker: Callable[[], object] = lambda: None


def changed(text: str, old: str, new: str) -> str:
    """The text with `old` replaced. Raises Unchanged."""
    if old not in text:
        raise Unchanged(f"there is no {old!r} in the text that begins {text[:60]!r}")
    return text.replace(old, new)


def _sql(name: str) -> str:
    from jobs.queue.functions import FUNCTIONS

    return FUNCTIONS[name].read_text()


_HOLDER = "WHERE job.id = f.id AND job.lease = f.lease AND job.lease_expires_at IS NOT NULL"


def _guard(condition: str) -> Callable[[Database], object]:
    return lambda database: database.execute(
        changed(_sql("jobs_finish"), _HOLDER, condition).encode()
    )


def _claim_by_subquery(database: Database) -> None:
    claim = _sql("jobs_claim")
    found = re.search(r"picked AS MATERIALIZED \((.*?)\), claimed", claim, re.DOTALL)
    if found is None:
        raise Unchanged("the claim has no materialized pick")
    claim = changed(claim, found[0], "claimed")
    claim = changed(claim, "FROM picked", f"FROM ({found[1]}) picked")
    step, settings = re.subn(r"^SET \w+ = \w+$", "", _sql("jobs_step"), flags=re.MULTILINE)
    if not settings:
        raise Unchanged("the step has no settings of the planner")
    database.execute(claim.encode())
    database.execute(step.encode())


def _rescue_without_recheck() -> None:
    from jobs.queue import rescue as module
    from jobs.queue.database import fetch
    from jobs.worker import maintenance
    from tests.chaos import points

    found = re.search(r"MATERIALIZED \((.*?)\)\nUPDATE", module._RESCUE, re.DOTALL)
    if found is None:
        raise Unchanged("the rescue has no materialized pick")
    select = changed(found[1], "FOR NO KEY UPDATE SKIP LOCKED", "")
    update = changed(
        module._RESCUE[found.end() - len("UPDATE") :],
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


def _rescue_that_executes() -> None:
    from jobs.attempt import Attempt
    from jobs.models import Job
    from jobs.processors.registry import processors
    from jobs.worker import maintenance
    from jobs.worker.leases import Execution

    def rescue(original: Any, lease_seconds: float, most_lost_leases: int) -> Any:
        rescued = original(lease_seconds, most_lost_leases)
        for job_id, _, _ in rescued:
            job = Job.objects.get(id=job_id)
            attempt = Attempt(
                job.id,
                0,
                job.attempt,
                job.max_attempts,
                job.job_type,
                "",
                "",
                job.priority,
                job.parameters,
            )
            processors()[job.job_type].run(Execution(attempt, 0.0))
        return rescued

    wrap(maintenance, "rescue", lambda original: partial(rescue, original))


def _asynchronous_commit(database: Database) -> None:
    database.execute("ALTER DATABASE mediaproc SET synchronous_commit = off")


def _clock_of_the_worker() -> None:
    from jobs.queue import rescue

    rescue._RESCUE = changed(
        rescue._RESCUE,
        "lease_expires_at < clock_timestamp()",
        "lease_expires_at < to_timestamp(%(now)s)",
    )
    wrap(
        rescue, "fetch", lambda fetch: lambda sql, values: fetch(sql, values | {"now": time.time()})
    )


def _no_metrics_in_finish(database: Database) -> None:
    finish = _sql("jobs_finish")
    found = re.search(r", measured AS \(.*?metrics_id IS NOT NULL\s*\)", finish, re.DOTALL)
    if found is None:
        raise Unchanged("the finish writes no metrics")
    database.execute(changed(finish, found[0], "").encode())


def _metrics_afterwards() -> None:
    from jobs.models import JobMetrics
    from jobs.outcomes import Completed
    from jobs.worker import pool
    from tests.chaos import points

    def step(original: Any, finished: list[Any], demand: Any, want: int) -> Any:
        stepped = original(finished, demand, want)
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

    wrap(pool, "step", lambda original: partial(step, original))


def _no_polling() -> None:
    from django.conf import settings

    settings.WORKER_POLL_SECONDS = 10.0**6


def _count_at_finish(database: Database) -> None:
    claim = changed(_sql("jobs_claim"), "attempt = job.attempt + 1", "attempt = job.attempt")
    claim = changed(claim, "build_array(id, lease, attempt,", "build_array(id, lease, attempt + 1,")
    finish = changed(
        _sql("jobs_finish"),
        "THEN job.attempt - 1 ELSE job.attempt END",
        "THEN job.attempt ELSE job.attempt + 1 END",
    )
    database.execute(claim.encode())
    database.execute(finish.encode())


def _rescue_costs_nothing() -> None:
    from jobs.queue import rescue

    rescue._RESCUE = changed(rescue._RESCUE, "attempt = job.attempt - 1", "attempt = job.attempt")


MUTANTS: dict[str, Mutant] = {
    "no-fence": Mutant(
        "finish takes any row with the job's id", mutant_plans.stops, _guard("WHERE job.id = f.id")
    ),
    "status-only": Mutant(
        "finish asks for the status and not for the lease",
        mutant_plans.stops,
        _guard("WHERE job.id = f.id AND job.lease_expires_at IS NOT NULL"),
    ),
    "claim-by-subquery": Mutant(
        "the pick of a claim is a plain subquery", mutant_plans.idleness, _claim_by_subquery
    ),
    "rescue-without-recheck": Mutant(
        "rescue looks first and updates later",
        mutant_plans.rescues,
        in_worker=_rescue_without_recheck,
    ),
    "rescue-executes": Mutant(
        "rescue runs what it finds", mutant_plans.kills, in_worker=_rescue_that_executes
    ),
    "asynchronous-commit": Mutant(
        "synchronous_commit is off", mutant_plans.crashes, _asynchronous_commit
    ),
    "worker-clock": Mutant(
        "rescue compares with the worker's clock",
        mutant_plans.clocks,
        in_worker=_clock_of_the_worker,
    ),
    "metrics-afterwards": Mutant(
        "finish writes the metrics in a transaction of their own",
        mutant_plans.kills,
        _no_metrics_in_finish,
        _metrics_afterwards,
    ),
    "no-polling": Mutant(
        "workers wait for signals alone", mutant_plans.silence, in_worker=_no_polling
    ),
    "attempt-at-finish": Mutant(
        "an attempt is counted when it ends",
        mutant_plans.kills,
        _count_at_finish,
        _rescue_costs_nothing,
    ),
}
