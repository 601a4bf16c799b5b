"""The real web server on the test database."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.service import free_port
from tests.waiting import wait_until
from tests.workers import PROJECT, environment_of


class WebServer:
    """gunicorn as in production, with a media store of its own. Ended by `stop`."""

    def __init__(self, database_url: str, store: Path, log: Path, **environment: str) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.log = log
        self.token = ""
        self._environment = {
            **environment_of(database_url),
            "PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MEDIA_ROOT": str(store),
            **environment,
        }
        self.start()

    def start(self) -> None:
        """Start it, also once more, and wait until it answers."""
        config = ["--config", "mediaproc/web_server.py", "mediaproc.wsgi"]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *config],
                cwd=PROJECT,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._answers, "the web server answers")

    def call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        """One request with `token` below /api/v1/, or without it of an address that was given."""
        sent = {**(headers or {})}
        if not path.startswith("/"):
            path = f"/api/v1/{path}"
            sent |= {"Authorization": f"Token {self.token}"} if self.token else {}
        url = f"{self.address}{path}"
        return httpx.request(method, url, headers=sent, timeout=60, **options)

    def stop(self) -> None:
        """End it at once, its own processes too."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.address}/api/v1/jobs/health", timeout=30).is_success
        except httpx.TransportError:
            return False
