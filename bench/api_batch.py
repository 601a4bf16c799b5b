"""A batch of any size over HTTP, whole: until its jobs are there, with the memory that it took."""

import csv
import io
import json
import time
from http import HTTPStatus
from typing import Any

import psutil

from bench.api_server import SERVICE, Client, service
from bench.environment import worker
from bench.memory import peak_mb

BATCH = "/api/v1/jobs/batch?partial="
_COLUMNS = ("source_file", "target_format", "job_type", "name", "priority", "metadata")
_WANTED = {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}


def imported(token: str, rows: int) -> dict[str, float]:
    """Seconds and peaks of resident memory in MB of CSV and JSON, each with fresh processes; of a
    table with a wrong row in a hundred, and of one that a single wrong row makes nothing of."""
    figures: dict[str, float] = {}
    for kind, wrong, partial in (
        ("csv", 0, "false"),
        ("json", 0, "false"),
        ("partial", rows // 100, "true"),
        ("refused", 1, "false"),
    ):
        body, media_type = (_array if kind == "json" else _table)(rows, wrong)
        with service() as port, worker("--queue", "low", **SERVICE) as process:
            client = Client(port, token)
            idle = peak_mb(process.pid)
            began = time.perf_counter()
            status, headers, _ = client.ask("POST", BATCH + partial, body, Content_Type=media_type)
            answered = time.perf_counter() - began
            if status not in _WANTED:
                raise RuntimeError(f"the service answered {status}")
            seen = _followed(client, headers["Location"]) if status == HTTPStatus.ACCEPTED else 0
            figures |= {
                f"{kind}_mb_sent": round(len(body) / 1e6, 1),
                f"{kind}_answered": round(answered, 2),
                f"{kind}_done": round(time.perf_counter() - began, 2),
                f"{kind}_progress_seen": seen,
                f"{kind}_web_mb": round(max(map(peak_mb, _web())), 1),
                f"{kind}_worker_mb": round(peak_mb(process.pid), 1),
                f"{kind}_worker_idle_mb": round(idle, 1),
            }
    return figures


def _followed(client: Client, address: str) -> int:
    """Wait for its end; how many values of progress were seen on the way."""
    seen = set()
    while True:
        job = json.loads(client.ask("GET", address)[2])
        seen.add(job["progress"])
        if job["completed_at"]:
            if job["status"] != "COMPLETED":
                raise RuntimeError(f"the import is {job['status']}: {job['error_message']}")
            return len(seen)
        time.sleep(0.1)


def _rows(rows: int, wrong: int) -> list[tuple[str, ...]]:
    """The wrong ones last. Of another pool than the import: nobody works on them."""
    return [
        (f"videos/2026/{n}.mp4", "avi" if n < rows - wrong else "xyz", "simulate", f"Video {n}",
         "high", json.dumps({"order": str(n)}))
        for n in range(rows)
    ]  # fmt: skip


def _table(rows: int, wrong: int) -> tuple[bytes, str]:
    table = io.StringIO()
    csv.writer(table).writerows([_COLUMNS, *_rows(rows, wrong)])
    return table.getvalue().encode(), "text/csv"


def _array(rows: int, wrong: int) -> tuple[bytes, str]:
    items: list[dict[str, Any]] = [
        dict(zip(_COLUMNS, row, strict=True)) for row in _rows(rows, wrong)
    ]
    for item in items:
        item["metadata"] = json.loads(item["metadata"])
    return json.dumps(items).encode(), "application/json"


def _web() -> list[int]:
    children = psutil.Process().children(recursive=True)
    return [child.pid for child in children if "gunicorn" in " ".join(child.cmdline())]
