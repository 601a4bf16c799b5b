"""Which worker processes serve a database, and their memory."""

import re
from pathlib import Path
from typing import Any

import psycopg


def worker_processes(connection: psycopg.Connection[Any]) -> list[int]:
    """The process ids of our workers, as they say themselves."""
    rows = connection.execute("SELECT name FROM jobs_workerprocess ORDER BY name").fetchall()
    return [int(name.rpartition(":")[2]) for (name,) in rows]


def peak_mb(pid: int) -> float:
    """The most resident memory that a process has had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"/proc/{pid}/status has no VmHWM")
    return int(found[1]) * 1024 / 1e6
