"""How long a submission takes over HTTP, at a steady rate, against the web server of the Procfile.

    python -m bench.http_submit                       # 20 a second for 30 seconds
    python -m bench.http_submit --rate 50 --seconds 10 --json

Each request comes on a connection of its own, as from curl. Figures in milliseconds.
"""

import argparse
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bench.environment import PROJECT, percentiles, prepared, say

BODY = {"source_file": "video.mp4", "target_format": "avi", "priority": "high"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second (default 20)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long (default 30)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()
    with prepared(), web() as port:
        figures = _measure(port, arguments.rate, arguments.seconds)
    if arguments.json:
        json.dump(figures, sys.stdout)
        return
    print("submit  " + "".join(f"  {key} {value:8.2f} ms" for key, value in figures.items()))


@contextmanager
def web(
    ready: str = "/api/v1/jobs/health", status: int = http.HTTPStatus.OK, /, **environment: str
) -> Iterator[int]:
    """The web process as the Procfile runs it, on a free port, once `ready` answers `status`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = re.search(r"^web: (.*)$", Path(PROJECT, "Procfile").read_text(), re.MULTILINE)
    assert command is not None  # noqa: S101 - a Procfile has a web process
    process = subprocess.Popen(
        ["sh", "-c", command[1]],  # noqa: S607 - as a Procfile runner does it
        cwd=PROJECT,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "BIND_HOST": "127.0.0.1",
            "PORT": str(port),
            "SIMULATE_MISSING_SOURCES": "True",
            "ALLOW_ANONYMOUS": "True",
            **environment,
        },
        stdout=subprocess.DEVNULL,
    )
    from tests.waiting import wait_until

    try:
        wait_until(lambda: _answers(port, ready, status), "the web server answers", seconds=60)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int, path: str, status: int) -> bool:
    try:
        return _request(port, "GET", path) == status
    except OSError:
        return False


def _measure(port: int, rate: float, seconds: float) -> dict[str, float]:
    say(f"{rate:.0f} submissions a second for {seconds:.0f} s")
    for _ in range(20):
        _submit(port)
    with ThreadPoolExecutor(32) as threads:
        began = time.monotonic()
        requests = []
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            requests.append(threads.submit(_submit, port))
        return percentiles([request.result() for request in requests])


def _submit(port: int) -> float:
    began = time.perf_counter()
    status = _request(port, "POST", "/api/v1/submit_job", json.dumps(BODY))
    taken = (time.perf_counter() - began) * 1000
    if status != http.HTTPStatus.CREATED:
        raise RuntimeError(f"the service answered {status}")
    return taken


def _request(port: int, method: str, path: str, body: str | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


if __name__ == "__main__":
    main()
