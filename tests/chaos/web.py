"""The web process as the Procfile runs it, on a port of its own: ended and started again."""

import os
import re
import signal
import subprocess
from pathlib import Path

import httpx

from tests.service import PROJECT, free_port
from tests.waiting import wait_until

_START_SECONDS = 180.0  # nothing is promised of it here


class Web:
    """Started by `restart`. url: the address of the API."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.url = f"{self.address}/api/v1"
        self._environment = {**environment, "BIND_HOST": "127.0.0.1", "PORT": str(port)}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def restart(self) -> None:
        """Start it, instead of the one that may be there, and wait until it answers anything."""
        self.kill()
        command = re.search(r"^web: (.*)$", (PROJECT / "Procfile").read_text(), re.MULTILINE)
        assert command is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", command[1]],  # noqa: S607 - as a Procfile runner does it
                cwd=PROJECT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._answers, "the web server answers", seconds=_START_SECONDS)

    def kill(self) -> None:
        """SIGKILL to all its processes, if there are any."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            return bool(httpx.get(f"{self.url}/jobs/health", timeout=30).status_code)
        except httpx.TransportError:
            return False
