"""Clients that ask the web server without end, or at a pace of their own."""

import http
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import NamedTuple

from bench.api_server import Client
from bench.environment import percentiles

CLIENTS = 8
PROCESSES = 2
PER_SECOND = 100
CONNECTIONS = 32


class Asked(NamedTuple):
    """A request, and what it is to be answered."""

    method: str
    path: str
    body: str | None
    expected: int
    headers: Mapping[str, str]

    def by(self, client: Client) -> None:
        """Ask it. Raises RuntimeError for another answer."""
        expect(client.ask(self.method, self.path, self.body, **self.headers)[0], self.expected)


def expect(status: int, expected: int) -> None:
    """Raises RuntimeError."""
    if status != expected:
        raise RuntimeError(f"answered {status} {http.HTTPStatus(status).phrase}")


def open_loop(port: int, token: str, asked: Asked, seconds: float) -> dict[str, float]:
    """Milliseconds from when a request was due, at 100 a second, whether or not the ones before
    were answered."""
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        free = [Client(port, token) for _ in range(CONNECTIONS)]

        def one(due: float) -> float:
            client = free.pop()
            try:
                asked.by(client)
            finally:
                free.append(client)
            return (time.monotonic() - due) * 1000

        began = time.monotonic()
        under_way = []
        for number in range(int(PER_SECOND * (seconds + 1))):
            due = began + number / PER_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
            under_way.append(threads.submit(one, due))
        return percentiles([one.result() for one in under_way[PER_SECOND:]])


def closed_loop(port: int, token: str, asked: Asked, seconds: float) -> float:
    """Requests a second of eight clients that never wait, in processes of their own."""
    with get_context("fork").Pool(PROCESSES) as pool:
        hammer = partial(_hammer, port, token, asked)
        return sum(pool.map(hammer, [seconds] * PROCESSES)) / seconds


def _hammer(port: int, token: str, asked: Asked, seconds: float) -> int:
    until = time.monotonic() + seconds

    def one(_: int) -> int:
        client, done = Client(port, token), 0
        while time.monotonic() < until:
            asked.by(client)
            done += 1
        return done

    with ThreadPoolExecutor(CLIENTS // PROCESSES) as threads:
        return sum(threads.map(one, range(CLIENTS // PROCESSES)))
