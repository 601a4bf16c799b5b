"""The API's speed: the web server of the Procfile and PostgreSQL on this machine.

    python -m bench.api                 # about two minutes
    python -m bench.api --json          # one JSON object on standard output
    python -m bench.api --only submit sustained bulk poll flat --jobs 200000

Submissions at 100 a second, sustained throughput beside a plain Django REST framework view that
inserts one row, 10,000 jobs in one batch, status polling with and without ETag in processor time of
the server, and list, statistics and status beside finished jobs. All on two cores.
"""

import argparse
import http.client
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from typing import Any

import psutil

from bench.environment import percentiles, prepared, say
from bench.http_submit import web

BODY = json.dumps({"source_file": "video.mp4", "target_format": "avi", "job_type": "simulate"})
PLAIN_BODY = json.dumps({"source_file": "video.mp4", "target_format": "avi", "priority": 5})
JOBS = "/api/v1/jobs"
JSON = {"Content-Type": "application/json"}
CLIENTS = 8
BULK_ROWS = 10_000
KEPT_SECONDS = 1.0  # the server closes a connection that is idle for two
_FINISHED = """
INSERT INTO jobs_job (id, job_type, source_file, target_format, parameters, priority, status,
  created_at, queued_at, started_at, completed_at, attempt)
SELECT overlay(gen_random_uuid()::text PLACING
    substr(lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 1, 8) || '-' ||
    substr(lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 9, 4) || '-7'
    FROM 1 FOR 15)::uuid,
  'noop', 'a.mp4', 'avi', '{}', 5, 'COMPLETED', moment, moment, moment, moment, 1
FROM (SELECT now() - number * interval '1 second' AS moment
      FROM generate_series(1, %s) AS number) AS moments
"""


class Client:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._asked_at = 0.0

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body."""
        if time.monotonic() - self._asked_at > KEPT_SECONDS:
            self._connection.close()  # the next request opens it again
        self._asked_at = time.monotonic()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body, JSON | named)
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--only", nargs="+", choices=MEASURED, default=list(MEASURED))
    parser.add_argument("--jobs", type=int, default=1_000_000, help="finished ones (1,000,000)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load (10)")
    arguments = parser.parse_args()
    found: dict[str, Any] = {}
    with prepared():
        for name in arguments.only:
            say(name)
            found[name] = MEASURED[name](arguments)
    if arguments.json:
        json.dump(found, sys.stdout)
        return
    for name, figures in found.items():
        print(f"{name:10}" + "".join(f"  {key} {value}" for key, value in figures.items()))


def submit(arguments: argparse.Namespace) -> dict[str, float]:
    """100 submissions a second, whether or not the ones before were answered, in milliseconds."""
    with web() as port:
        return {**_open_loop(port, arguments.seconds), "per_second": 100}


def sustained(arguments: argparse.Namespace) -> dict[str, float]:
    """Submissions a second of eight clients that never wait, in turn with the plain view."""
    ours, plain = [], []
    for _ in range(3):
        with web() as port:
            ours.append(_closed_loop(port, JOBS, BODY, arguments.seconds / 2))
        with _plain() as port:
            plain.append(_closed_loop(port, "/orders", PLAIN_BODY, arguments.seconds / 2))
    mine, others = statistics.median(ours), statistics.median(plain)
    return {
        "per_second": round(mine),
        "plain_per_second": round(others),
        "ratio": round(others / mine, 2),
    }


def bulk(arguments: argparse.Namespace) -> dict[str, float]:
    """Seconds from the first byte of the request to the last of the answer."""
    rows = [f"v{number}.mp4,avi,simulate\n" for number in range(BULK_ROWS)]
    table = "source_file,target_format,job_type\n" + "".join(rows)
    array = json.dumps([json.loads(BODY) for _ in range(BULK_ROWS)])
    with web() as port:
        client = Client(port)
        _bulk(client, "a\n", "text/csv")
        return {
            kind: round(statistics.median(_bulk(client, body, media) for _ in range(5)), 2)
            for kind, body, media in (
                ("csv", table, "text/csv"),
                ("json", array, "application/json"),
            )
        }


def poll(arguments: argparse.Namespace) -> dict[str, float]:
    """Processor time of the web server a look, in microseconds."""
    with web() as port:
        client = Client(port)
        path = client.ask("POST", JOBS, BODY)[1]["Location"]
        etag = client.ask("GET", path)[1]["ETag"]
        whole = _cost(client, path, {})
        if etag is None:
            return {"without": whole}
        unchanged = _cost(client, path, {"If_None_Match": etag})
    return {"without": whole, "with": unchanged, "ratio": round(whole / unchanged, 2)}


def flat(arguments: argparse.Namespace) -> dict[str, float]:
    """Milliseconds beside finished jobs, as ratios to those of the empty table; medians."""
    from django.db import connection

    with connection.cursor() as cursor, web() as port:
        cursor.execute("TRUNCATE jobs_job, jobs_jobmetrics CASCADE")
        client = Client(port)
        for _ in range(50):
            client.ask("POST", JOBS, BODY)
        empty = _looks(client)
        say(f"{arguments.jobs} finished jobs")
        cursor.execute(_FINISHED, [arguments.jobs])
        cursor.execute("VACUUM ANALYZE jobs_job")
        cursor.execute("CHECKPOINT")
        full = _looks(client)
    figures: dict[str, float] = {}
    for name, least in empty.items():
        figures |= {f"{name}_ms": full[name], f"{name}_ratio": round(full[name] / least, 2)}
    return figures


MEASURED: dict[str, Callable[[argparse.Namespace], dict[str, float]]] = {
    "submit": submit,
    "sustained": sustained,
    "bulk": bulk,
    "poll": poll,
    "flat": flat,
}


@contextmanager
def _plain() -> Iterator[int]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS plain_view_order (id bigint PRIMARY KEY GENERATED BY"
            " DEFAULT AS IDENTITY, source_file varchar(255) NOT NULL, target_format varchar(50)"
            " NOT NULL, priority smallint NOT NULL, created_at timestamptz NOT NULL)"
        )
    before = os.environ["DJANGO_SETTINGS_MODULE"]
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.plain_view.settings"
    try:
        with web(ready="/orders", status=http.HTTPStatus.METHOD_NOT_ALLOWED) as port:
            yield port
    finally:
        os.environ["DJANGO_SETTINGS_MODULE"] = before


def _open_loop(port: int, seconds: float) -> dict[str, float]:
    per_second = 100
    with ThreadPoolExecutor(32) as threads:
        local = [Client(port) for _ in range(32)]
        free = list(local)

        def one(due: float) -> float:
            client = free.pop()
            try:
                status, _, _ = client.ask("POST", JOBS, BODY)
            finally:
                free.append(client)
            _expect(status, http.HTTPStatus.CREATED)
            return (time.monotonic() - due) * 1000

        began = time.monotonic()
        asked = []
        for number in range(int(per_second * (seconds + 1))):
            due = began + number / per_second
            time.sleep(max(0.0, due - time.monotonic()))
            asked.append(threads.submit(one, due))
        return percentiles([one.result() for one in asked[per_second:]])


def _closed_loop(port: int, path: str, body: str, seconds: float) -> float:
    """Requests a second; the clients are processes of their own."""
    with get_context("fork").Pool(2) as pool:
        pool.map(partial(_hammer, port, path, body), [0.5] * 2)
        return sum(pool.map(partial(_hammer, port, path, body), [seconds] * 2)) / seconds


def _hammer(port: int, path: str, body: str, seconds: float) -> int:
    until = time.monotonic() + seconds

    def one(_: int) -> int:
        client, done = Client(port), 0
        while time.monotonic() < until:
            _expect(client.ask("POST", path, body)[0], http.HTTPStatus.CREATED)
            done += 1
        return done

    with ThreadPoolExecutor(CLIENTS // 2) as threads:
        return sum(threads.map(one, range(CLIENTS // 2)))


def _bulk(client: Client, body: str, media_type: str) -> float:
    began = time.perf_counter()
    status, _, _ = client.ask("POST", f"{JOBS}/batch", body, Content_Type=media_type)
    if len(body) > len("a\n"):
        _expect(status, http.HTTPStatus.CREATED)
    return time.perf_counter() - began


def _cost(client: Client, path: str, headers: dict[str, str], times: int = 1500) -> float:
    for _ in range(50):
        client.ask("GET", path, **headers)
    before = _processor_seconds()
    for _ in range(times):
        client.ask("GET", path, **headers)
    return round((_processor_seconds() - before) / times * 1e6)


def _processor_seconds() -> float:
    """Of the web server, with its children."""
    found = 0.0
    for process in psutil.Process().children(recursive=True):
        if "gunicorn" in " ".join(process.cmdline()):
            times = process.cpu_times()
            found += times.user + times.system
    return found


def _looks(client: Client, times: int = 100) -> dict[str, float]:
    path = json.loads(client.ask("GET", f"{JOBS}?limit=1")[2])["results"][0]["links"]["self"]
    looks = {
        "list": JOBS,
        "filtered": f"{JOBS}?status=QUEUED&metadata.of=nobody",
        "stats": f"{JOBS}/stats",
        "counts": f"{JOBS}/stats/counts",
        "status": path,
    }
    return {name: _median(client, address, times) for name, address in looks.items()}


def _median(client: Client, path: str, times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        status, _, _ = client.ask("GET", path)
        taken.append((time.perf_counter() - began) * 1000)
        _expect(status, http.HTTPStatus.OK)
    return round(statistics.median(taken), 2)


def _expect(status: int, wanted: int) -> None:
    if status != wanted:
        raise RuntimeError(f"the service answered {status}")


if __name__ == "__main__":
    main()
