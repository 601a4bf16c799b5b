"""Known bugs, each put back by changing the engine's text where it stands.

A change whose place is not found raises: a mutant that is none would be caught by nobody.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.chaos import mutant_plans, mutants_in_worker
from tests.chaos.changed import Unchanged, changed
from tests.chaos.plan import Plan

Database = psycopg.Connection[Any]


@dataclass(frozen=True)
class Mutant:
    """A bug. plan: what brings it to light. in_database and in_worker: how it is put back."""

    bug: str
    plan: Callable[[], Plan]
    in_database: Callable[[Database], object] = lambda _: None
    in_worker: Callable[[], object] = lambda: None


def _sql(name: str) -> str:
    from jobs.queue.functions import FUNCTIONS

    return FUNCTIONS[name].read_text()


_LEASE = " AND job.lease = {name}.lease"
_HELD = " AND job.lease_expires_at IS NOT NULL"


def _unfence(*parts: str) -> Callable[[Database], object]:
    """Both settling functions, without these parts of what they ask of a row."""

    def put_back(database: Database) -> None:
        for function, name in (("jobs_complete", "c"), ("jobs_finish", "f")):
            sql = _sql(function)
            for part in parts:
                sql = changed(sql, part.format(name=name), "")
            database.execute(sql.encode())

    return put_back


def _claim_by_subquery(database: Database) -> None:
    claim = _sql("jobs_claim")
    found = re.search(r"picked AS MATERIALIZED \((.*?)\), claimed", claim, re.DOTALL)
    if found is None:
        raise Unchanged("the claim has no materialized pick")
    claim = changed(claim, found[0], "claimed")
    once = "WHERE job.ctid = ANY (ARRAY(SELECT place FROM picked))"
    joined = f"FROM ({found[1]}) picked WHERE job.ctid = picked.place"
    claim = changed(claim, once, joined)
    step, settings = re.subn(r"^SET \w+ = \w+$", "", _sql("jobs_step"), flags=re.MULTILINE)
    if not settings:
        raise Unchanged("the step has no settings of the planner")
    database.execute(claim.encode())
    database.execute(step.encode())


def _asynchronous_commit(database: Database) -> None:
    database.execute("ALTER DATABASE mediaproc SET synchronous_commit = off")


def _no_metrics_in_finish(database: Database) -> None:
    complete = _sql("jobs_complete")
    insert = r"INSERT INTO jobs_jobmetrics.*FROM done;\s*GET DIAGNOSTICS settled = ROW_COUNT;"
    found = re.search(insert, complete, re.DOTALL)
    if found is None:
        raise Unchanged("no metrics are written where a job is completed")
    complete = changed(complete, found[0], "SELECT count(*) INTO settled FROM done;")
    database.execute(complete.encode())


def _count_at_finish(database: Database) -> None:
    claim = changed(_sql("jobs_claim"), "attempt = job.attempt + 1", "attempt = job.attempt")
    claim = changed(claim, "job.lease, job.attempt,", "job.lease, job.attempt + 1,")
    complete = changed(
        _sql("jobs_complete"),
        "status = 'COMPLETED',",
        "status = 'COMPLETED', attempt = job.attempt + 1,",
    )
    finish = changed(
        _sql("jobs_finish"),
        "THEN job.attempt - 1 ELSE job.attempt END",
        "THEN job.attempt ELSE job.attempt + 1 END",
    )
    for function in (claim, complete, finish):
        database.execute(function.encode())


MUTANTS: dict[str, Mutant] = {
    "no-fence": Mutant(
        "finish takes any row with the job's id", mutant_plans.stops, _unfence(_LEASE, _HELD)
    ),
    "status-only": Mutant(
        "finish asks for the status and not for the lease",
        mutant_plans.stops,
        _unfence(_LEASE),
    ),
    "claim-by-subquery": Mutant(
        "the pick of a claim is a plain subquery", mutant_plans.idleness, _claim_by_subquery
    ),
    "rescue-without-recheck": Mutant(
        "rescue looks first and updates later",
        mutant_plans.rescues,
        in_worker=mutants_in_worker.rescue_without_recheck,
    ),
    "rescue-executes": Mutant(
        "rescue runs what it finds",
        mutant_plans.kills,
        in_worker=mutants_in_worker.rescue_that_executes,
    ),
    "asynchronous-commit": Mutant(
        "synchronous_commit is off", mutant_plans.crashes, _asynchronous_commit
    ),
    "worker-clock": Mutant(
        "rescue compares with the worker's clock",
        mutant_plans.clocks,
        in_worker=mutants_in_worker.clock_of_the_worker,
    ),
    "metrics-afterwards": Mutant(
        "finish writes the metrics in a transaction of their own",
        mutant_plans.kills,
        _no_metrics_in_finish,
        mutants_in_worker.metrics_afterwards,
    ),
    "no-polling": Mutant(
        "workers wait for signals alone",
        mutant_plans.silence,
        in_worker=mutants_in_worker.no_polling,
    ),
    "attempt-at-finish": Mutant(
        "an attempt is counted when it ends",
        mutant_plans.kills,
        _count_at_finish,
        mutants_in_worker.rescue_costs_nothing,
    ),
}
