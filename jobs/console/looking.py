"""Look at jobs: a list, one job, the reasons of failures, statistics, workers and pools."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from jobs.console.output import Output
from jobs.models import Job, WorkerProcess
from jobs.priorities import parse_pools
from jobs.queue.dead_letter import reasons
from jobs.queue.errors import NoSuchJob
from jobs.queue.history import attempts, events
from jobs.queue.pause import paused
from jobs.queue.progress import seconds_left
from jobs.queue.selection import Selection
from jobs.states import Status
from jobs.stats.figures import Figures
from jobs.stats.statistics import counts, statistics

LISTED = (
    "id", "status", "job_type", "priority", "progress", "name", "attempt", "created_at", "worker",
    "error_code",
)  # fmt: skip
LISTED_LEAST = 4
SHOWN = (
    "id", "name", "job_type", "source_file", "target_format", "parameters", "priority", "status",
    "progress", "progress_message", "attempt", "max_attempts", "lost_leases", "worker",
    "cancel_requested", "created_at", "scheduled_at", "queued_at", "started_at", "completed_at",
    "expires_at", "estimated_seconds", "result", "error_code", "error_message", "replay_of",
)  # fmt: skip


def show_list(output: Output, selection: Selection, limit: int) -> None:
    """The newest jobs of a selection."""
    found = Job.objects.filter(selection.condition()).order_by("-id")[:limit]
    rows = [{name: getattr(job, name) for name in LISTED} for job in found]
    output.rows(LISTED, rows, least=LISTED_LEAST)


def show_job(output: Output, job_id: UUID) -> None:
    """One job with its history, tracebacks too. Raises NoSuchJob."""
    job = Job.objects.filter(id=job_id).first()
    if job is None:
        raise NoSuchJob(job_id)
    shown: dict[str, Any] = {name: getattr(job, name) for name in SHOWN}
    if job.status == Status.IN_PROGRESS:
        shown["seconds_left"] = seconds_left(job.started_at, job.progress, timezone.now())
    tried = [asdict(one) for one in attempts(job, tracebacks=True)]
    happened = [asdict(one) for one in events(job)]
    if output.as_json:
        output.document({**shown, "attempts": tried, "events": happened})
        return
    output.fields(shown)
    output.said("\nAttempts")
    output.rows(("number", "worker", "started_at", "ended_at", "outcome", "error_message"), tried)
    for one in tried:
        if one["traceback"]:
            output.said(f"\nTraceback of attempt {one['number']}\n{one['traceback']}")
    output.said("\nEvents")
    output.rows(("at", "kind", "actor", "detail"), happened)


def show_reasons(output: Output, selection: Selection) -> None:
    """Why jobs FAILED, the most frequent first."""
    output.rows(
        ("jobs", "job_type", "error_code", "newest_at", "example"),
        [asdict(reason) for reason in reasons(selection)],
    )


def show_statistics(output: Output, hours: float) -> None:
    """Counts by status; rates, waits and runs of the last hours by pool and type."""
    now, past = counts(), statistics(hours * 3600)
    if output.as_json:
        document = {"counts": {status.value: asdict(count) for status, count in now.items()}}
        shown = ("since", "up_to", "oldest_waiting")
        document |= {name: getattr(past, name) for name in shown}
        document |= {"overall": asdict(past.overall)}
        document |= {"by_pool": {name: asdict(one) for name, one in past.by_pool.items()}}
        document |= {"by_type": {name: asdict(one) for name, one in past.by_type.items()}}
        output.document(document)
        return
    output.rows(
        ("status", "jobs", "exactness"),
        [{"status": status, **asdict(count)} for status, count in now.items()],
    )
    output.said(f"\nEnded in the last {hours:g} hours; seconds of wait and run")
    kinds = {"all": past.overall, **past.by_pool, **past.by_type}
    output.rows(
        ("of", "completed", "failed", "cancelled", "a_minute", "wait_p50", "wait_p95", "run_p50",
         "run_p95"),
        [{"of": name, **_figures(one)} for name, one in kinds.items()],
    )  # fmt: skip
    output.said("")
    output.rows(
        ("pool", "oldest_waits"),
        [{"pool": pool, "oldest_waits": age} for pool, age in past.oldest_waiting.items()],
    )


def _figures(one: Figures) -> dict[str, Any]:
    return {
        **{status.value.lower(): jobs for status, jobs in one.ended.items()},
        "a_minute": sum(one.per_minute.values()),
        "wait_p50": one.wait.p50,
        "wait_p95": one.wait.p95,
        "run_p50": one.run.p50,
        "run_p95": one.run.p95,
    }


def show_workers(output: Output) -> None:
    """Worker processes that were heard of within a lease time, or are missing since."""
    known = WorkerProcess.objects.annotate(now=Now())
    columns = ("name", "version", "pools", "wakeup", "started_at", "silent_seconds", "draining")
    output.rows(
        columns,
        [
            {
                "name": one.name,
                "version": one.version,
                "pools": one.pools,
                "wakeup": one.wakeup,
                "started_at": one.started_at,
                "silent_seconds": round((one.now - one.seen_at).total_seconds(), 1),
                "draining": one.drain_requested,
            }
            for one in known
        ],
    )


def show_pools(output: Output) -> None:
    """The pools of POOLS, and which are paused."""
    resting = paused()
    output.rows(
        ("pool", "priorities", "threads", "paused_since", "paused_by", "reason"),
        [
            {
                "pool": pool.name,
                "priorities": f"{pool.lowest}-{pool.highest}",
                "threads": pool.threads,
                "paused_since": resting[pool.name].paused_at if pool.name in resting else None,
                "paused_by": resting[pool.name].paused_by if pool.name in resting else None,
                "reason": resting[pool.name].reason if pool.name in resting else None,
            }
            for pool in parse_pools(settings.POOLS).values()
        ],
    )
