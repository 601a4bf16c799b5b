"""Celery with a Redis-protocol server, here Valkey."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.contenders.interpreters import python_script
from bench.contenders.peer import Mode, Peer
from bench.databases import Databases


class Celery(Peer):
    """Its jobs are in Valkey and not in PostgreSQL."""

    def prepare(self, databases: Databases, folder: Path) -> None:
        """Start the server."""
        from redis import Redis

        from tests.redis_server import RedisServer

        self._databases = databases
        self._log = folder / f"{self.name}.log"
        self._command = self.command()
        self._server = RedisServer(folder)
        self._server.start()
        self._redis = Redis(port=self._server.port)

    def close(self) -> None:
        """Stop the server."""
        self._redis.close()
        self._server.kill()

    def fresh(self) -> None:
        """Forget all."""
        self._redis.flushall()

    def settle(self) -> None:
        """Nothing."""

    @contextmanager
    def backlog(self) -> Iterator[Callable[[], bool]]:
        """Waiting in the list, or handed out and not acknowledged."""
        yield lambda: bool(self._redis.llen("celery") or self._redis.hlen("unacked"))

    def completed(self) -> int | None:
        """A message is gone once it is acknowledged."""
        return None

    def urls(self, url: str) -> dict[str, str]:
        """Of its broker."""
        return {"BENCH_REDIS": self._server.url}


CONTENDER = Celery(
    name="Celery + Valkey",
    includes="acks_late, no result row, broker in memory without a file; a job can be lost",
    command=python_script("celery_jobs"),
    modes={
        "four": Mode(4_000, "4 processes, prefetch 1"),
        "best": Mode(4_000, "pool solo, prefetch 64"),
    },
    bulk=False,
)
