"""The API's speed: the web server of the Procfile and PostgreSQL on this machine.

    python -m bench.api                 # about two minutes
    python -m bench.api --json          # one JSON object on standard output
    python -m bench.api --only submit sustained bulk poll flat --jobs 200000
    python -m bench.api --only bulk --rows 100000

Submissions at 100 a second, sustained throughput beside a plain Django REST framework view that
inserts one row, 10,000 jobs in one batch, status polling with and without ETag in processor time of
the server, and list, statistics and status beside finished jobs. All on two cores.

Each request has the token of an account that no limit holds back. Its requests are counted all the
same, and each is a line of the log; the plain view has a token too, and counts and logs nothing.
"""

import argparse
import http.client
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.api_batch import imported
from bench.api_load import Asked, closed_loop, expect, open_loop
from bench.api_rows import copied, fill
from bench.api_server import Client, plain, processor_seconds, service, token_of
from bench.environment import prepared, say

BODY = json.dumps({"source_file": "video.mp4", "target_format": "avi", "job_type": "simulate"})
PLAIN_BODY = json.dumps({"source_file": "video.mp4", "target_format": "avi", "priority": 5})
JOBS = "/api/v1/jobs"
SUBMIT = Asked("POST", JOBS, BODY, http.HTTPStatus.CREATED, {})
PLAIN = Asked("POST", "/orders", PLAIN_BODY, http.HTTPStatus.CREATED, {})
BULK_ROWS = 10_000
LOOKS_IN_TURN = 200


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--only", nargs="+", choices=MEASURED, default=list(MEASURED))
    parser.add_argument("--jobs", type=int, default=1_000_000, help="finished ones (1,000,000)")
    parser.add_argument("--rows", type=int, help="bulk: one batch of so many, with its memory")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load (10)")
    arguments = parser.parse_args()
    found: dict[str, Any] = {}
    with prepared():
        arguments.token = token_of("counted")
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
    with service() as port:
        return {**open_loop(port, arguments.token, SUBMIT, arguments.seconds), "per_second": 100}


def sustained(arguments: argparse.Namespace) -> dict[str, float]:
    """Submissions a second of eight clients that never wait, in turn with the plain view."""
    limited = token_of("limited")
    found: dict[str, list[float]] = {"ours": [], "limited": [], "plain": []}
    seconds = arguments.seconds / 2
    for _ in range(3):
        with service() as port:
            found["ours"].append(closed_loop(port, arguments.token, SUBMIT, seconds))
            found["limited"].append(closed_loop(port, limited, SUBMIT, seconds))
        with plain() as (port, token):
            found["plain"].append(closed_loop(port, token, PLAIN, seconds))
    ours, limits, others = (statistics.median(values) for values in found.values())
    return {
        "per_second": round(ours),
        "with_limits_per_second": round(limits),
        "plain_per_second": round(others),
        "ratio": round(others / ours, 2),
        "with_limits_ratio": round(others / limits, 2),
    }


def bulk(arguments: argparse.Namespace) -> dict[str, float]:
    """Seconds from the first byte of the request to the last of the answer. `--rows`: of so many
    until a worker has made them."""
    if arguments.rows:
        return imported(arguments.token, arguments.rows)
    rows = [f"v{number}.mp4,avi,simulate\n" for number in range(BULK_ROWS)]
    table = "source_file,target_format,job_type\n" + "".join(rows)
    array = json.dumps([json.loads(BODY) for _ in range(BULK_ROWS)])
    with service() as port:
        client = Client(port, arguments.token)
        _bulk(client, "a\n", "text/csv")
        return {
            kind: round(statistics.median(_bulk(client, body, media) for _ in range(5)), 2)
            for kind, body, media in (
                ("csv", table, "text/csv"),
                ("json", array, "application/json"),
            )
        }


def poll(arguments: argparse.Namespace) -> dict[str, float]:
    """Processor time a look, in microseconds, while eight clients poll without a pause: of the web
    server with the database, and of the web server alone."""
    with service() as port:
        client = Client(port, arguments.token)
        path = client.ask("POST", JOBS, BODY)[1]["Location"]
        tag = client.ask("GET", path)[1]["ETag"]
        looks = {
            "without": Asked("GET", path, None, http.HTTPStatus.OK, {}),
            "with": Asked("GET", path, None, http.HTTPStatus.NOT_MODIFIED, {"If_None_Match": tag}),
        }
        costs: dict[str, list[dict[str, float]]] = {name: [] for name in looks}
        for _ in range(5):
            for name, asked in looks.items():
                costs[name].append(_cost(port, arguments.token, asked, arguments.seconds / 5))
    found: dict[str, float] = {}
    for of in ("both", "web"):
        a, b = (statistics.median(one[of] for one in costs[name]) for name in looks)
        found |= {f"{of}_without": a, f"{of}_with": b, f"{of}_ratio": round(a / b, 2)}
    return found


def flat(arguments: argparse.Namespace) -> dict[str, float]:
    """Milliseconds beside finished jobs, as ratios to those of the empty table, which a second
    server has: both are asked in turn. Medians."""
    from django.db import connection

    tokens = {"owner": arguments.token, "staff": token_of("staff", is_staff=True)}
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE jobs_job, jobs_jobmetrics CASCADE")
    with service() as port:
        for token in tokens.values():
            client = Client(port, token)
            for _ in range(60):
                client.ask("POST", JOBS, BODY)
    empty = copied("empty")
    say(f"{arguments.jobs} finished jobs")
    fill(arguments.jobs)
    figures: dict[str, float] = {}
    with service(DATABASE_URL=empty) as before, service() as beside:
        for who, token in tokens.items():
            for name, path in _paths(Client(before, token)).items():
                least, most = _medians([Client(before, token), Client(beside, token)], path)
                figures |= {f"{who}_{name}_ms": most, f"{who}_{name}_ratio": round(most / least, 2)}
    return figures


MEASURED: dict[str, Callable[[argparse.Namespace], dict[str, float]]] = {
    "submit": submit,
    "sustained": sustained,
    "bulk": bulk,
    "poll": poll,
    "flat": flat,
}


def _bulk(client: Client, body: str, media_type: str) -> float:
    began = time.perf_counter()
    status, _, _ = client.ask("POST", f"{JOBS}/batch", body, Content_Type=media_type)
    if len(body) > len("a\n"):
        expect(status, http.HTTPStatus.CREATED)
    return time.perf_counter() - began


def _cost(port: int, token: str, asked: Asked, seconds: float) -> dict[str, float]:
    before = processor_seconds()
    looks = closed_loop(port, token, asked, seconds) * seconds
    after = processor_seconds()
    used = {of: round((after[of] - before[of]) / looks * 1e6) for of in after}
    return {"web": used["web"], "both": sum(used.values())}


def _paths(client: Client) -> dict[str, str]:
    one = json.loads(client.ask("GET", f"{JOBS}?limit=1")[2])["results"][0]["links"]["self"]
    return {
        "list": JOBS,
        "filtered": f"{JOBS}?status=QUEUED&metadata.of=nobody",
        "stats": f"{JOBS}/stats",
        "counts": f"{JOBS}/stats/counts",
        "status": one,
    }


def _medians(clients: list[Client], path: str) -> list[float]:
    taken: list[list[float]] = [[] for _ in clients]
    for _ in range(LOOKS_IN_TURN):
        for client, times in zip(clients, taken, strict=True):
            began = time.perf_counter()
            status, _, _ = client.ask("GET", path)
            times.append((time.perf_counter() - began) * 1000)
            expect(status, http.HTTPStatus.OK)
    return [round(statistics.median(times), 2) for times in taken]


if __name__ == "__main__":
    main()
