"""What was asked of PostgreSQL in a while, and the processor time that it and the workers took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
from django.db import connection

MODULE = "pg_stat_statements"
_CALLS = "SELECT query, calls FROM pg_stat_statements WHERE toplevel ORDER BY calls DESC"


@dataclass(frozen=True)
class Usage:
    """calls: by the text of the statement. The rest in seconds."""

    calls: dict[str, int]
    seconds: float
    workers_cpu: float
    postgres_cpu: float

    def count(self, *words: str) -> int:
        """Of the statements that have one of these words."""
        return sum(n for text, n in self.calls.items() if any(word in text for word in words))

    @property
    def statements(self) -> int:
        """All of them."""
        return sum(self.calls.values())


@contextmanager
def watched(workers: list[int]) -> Iterator[Callable[[], Usage]]:
    """Count from here; the function that it gives tells what came since."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {MODULE}")
        cursor.execute("SELECT pg_backend_pid()")
        postmaster = psutil.Process(psutil.Process(cursor.fetchone()[0]).ppid())
        of_workers = [psutil.Process(pid) for pid in workers]
        before = _cpu(of_workers), _cpu(postmaster.children())
        cursor.execute("SELECT pg_stat_statements_reset()")
        began = time.monotonic()

        def usage() -> Usage:
            cursor.execute(_CALLS)
            calls = {text: count for text, count in cursor.fetchall() if MODULE not in text}
            return Usage(
                calls,
                time.monotonic() - began,
                _cpu(of_workers) - before[0],
                _cpu(postmaster.children()) - before[1],
            )

        yield usage


def connections() -> int:
    """How many sessions there are beside this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def resident_mb(workers: list[int]) -> float:
    """The mean of their resident memory, in MB."""
    used = [float(psutil.Process(pid).memory_info().rss) for pid in workers]
    return sum(used) / len(used) / 1e6


def _cpu(processes: list[psutil.Process]) -> float:
    spent = [one.cpu_times() for one in processes]
    return float(sum(times.user + times.system for times in spent))
