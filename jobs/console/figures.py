"""Numbers: jobs by status, and how fast those came through that have ended."""

from dataclasses import asdict
from typing import Any

from rich.text import Text

from jobs.console.cells import cell, seconds
from jobs.console.output import Column, Output
from jobs.stats.figures import Figures
from jobs.stats.statistics import Statistics, counts, statistics
from jobs.stats.waiting import Count

_SAID = {"exact": "", "estimated": "about ", "at_least": "at least "}


def _count(count: Count) -> Text:
    return Text(_SAID[count.exactness]) + cell(count.jobs)


NOW = (Column("status"), Column("count", _count, title="jobs"))
# The first ones fit on 80 columns.
ENDED = (
    Column("of"),
    Column("COMPLETED", title="completed"),
    Column("FAILED", title="failed"),
    Column("wait_p50", seconds),
    Column("wait_p95", seconds),
    Column("run_p50", seconds),
    Column("run_p95", seconds),
    Column("a_minute"),
    Column("CANCELLED", title="cancelled"),
)
ENDED_LEAST = 7
OLDEST = (Column("pool"), Column("waited", seconds, title="oldest waits"))


def show_statistics(output: Output, hours: float) -> None:
    """Counts by status; rates, waits and runs of the last hours by pool and type."""
    now, past = counts(), statistics(hours * 3600)
    if output.as_json:
        output.document(
            {
                "counts": {status.value: asdict(count) for status, count in now.items()},
                "since": past.since,
                "up_to": past.up_to,
                "overall": asdict(past.overall),
                "by_pool": {name: asdict(one) for name, one in past.by_pool.items()},
                "by_type": {name: asdict(one) for name, one in past.by_type.items()},
                "oldest_waiting": past.oldest_waiting,
            }
        )
        return
    output.rows(NOW, [{"status": status, "count": count} for status, count in now.items()])
    output.heading(f"Ended in the last {hours:g} hours")
    output.rows(ENDED, _ended(past), least=ENDED_LEAST)
    output.heading("Waiting")
    output.rows(
        OLDEST, [{"pool": pool, "waited": age} for pool, age in past.oldest_waiting.items()]
    )


def _ended(past: Statistics) -> list[dict[str, Any]]:
    """Pools and types may have the same name."""
    return [
        _row("all", past.overall),
        *(_row(f"pool {name}", one) for name, one in past.by_pool.items()),
        *(_row(f"type {name}", one) for name, one in past.by_type.items()),
    ]


def _row(of: str, one: Figures) -> dict[str, Any]:
    return {
        "of": of,
        **{status.value: jobs for status, jobs in one.ended.items()},
        "a_minute": sum(one.per_minute.values()),
        "wait_p50": one.wait.p50,
        "wait_p95": one.wait.p95,
        "run_p50": one.run.p50,
        "run_p95": one.run.p95,
    }
