"""The whole service as a person starts it, on a media store and a database of the test's own."""

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path
from random import SystemRandom
from typing import Any

import httpx
import psutil

from mediaproc.embedded_postgres.home import find_home
from tests.waiting import wait_until

PROJECT = Path(__file__).resolve().parent.parent
RUN = [sys.executable, "-m", "mediaproc.run"]
MAKE_RUN = ["make", "--no-print-directory", f"PYTHON={sys.executable}", "run"]
START_SECONDS = 180.0
STOP_SECONDS = 40.0
# The README's, from a stop signal on.
PROMISED_STOP_SECONDS = 10.0

_INHERITED = ("HOME", "LANG", "PATH", "PYTHONDONTWRITEBYTECODE", "TERM", "USER")
_INHERITED_PREFIXES = ("PIP_", "SSL_", "UV_", "EMBEDDED_")


def free_port() -> int:
    """A port that nobody listens on at the moment, of those that no connection is given: between
    this and its use the system hands it to nobody."""
    chance = SystemRandom()  # two test processes with one seed must not meet
    while True:
        port = chance.randrange(10_000, 30_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Service:
    """What `make run` starts in `project`, found again by the folder of its database."""

    def __init__(self, folder: Path, project: Path = PROJECT) -> None:
        self.root = folder / "postgres"
        self.media = folder / "media"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api/v1"
        self.project = project
        self.log = folder / "run.log"

    def environment(self, **more: str) -> dict[str, str]:
        """A shell's, without what the test run has set for itself."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name in _INHERITED or name.startswith(_INHERITED_PREFIXES)
        }
        ours = {
            "EMBEDDED_POSTGRES_ROOT": str(self.root),
            "MEDIA_ROOT": str(self.media),
            "PORT": str(self.port),
            # How many requests a test makes in a minute depends on the machine.
            "REQUESTS_PER_MIN_LIMIT": "0",
        }
        return {**inherited, **ours, **more}

    def start(self, command: list[str] = RUN, **more: str) -> "subprocess.Popen[bytes]":
        """Start it, with `more` in its environment, and wait until health answers 200."""
        with self.log.open("wb") as log:
            started = subprocess.Popen(
                command,
                cwd=self.project,
                env=self.environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until_up(started)
        return started

    def wait_until_up(self, started: "subprocess.Popen[bytes]") -> None:
        def up() -> bool:
            assert started.poll() is None, self.log.read_text()
            return self.health() == httpx.codes.OK

        wait_until(up, "health answers 200", seconds=START_SECONDS)

    def health(self) -> int:
        """The status that health answers, 0 when nobody answers."""
        try:
            return httpx.get(f"{self.url}/jobs/health", timeout=30).status_code
        except httpx.TransportError:
            return 0

    def submit(self, **job: str) -> str:
        """The id of the new job."""
        answer = httpx.post(f"{self.url}/submit_job", json=job, timeout=30)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return str(answer.json()["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """What the job's status address tells."""
        return dict(httpx.get(f"{self.url}/job/{job_id}/status", timeout=30).json())

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this service, supervisors and database included."""
        data = str(find_home(self.root).data)
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("EMBEDDED_POSTGRES_ROOT") == str(self.root)
                if ours or data in process.cmdline() or process.cwd() == data:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def process(self, *words: str) -> psutil.Process:
        """The process with `words` in its command line, and not its forks that have them too."""

        def oldest() -> psutil.Process | None:
            found = []
            for each in self.processes():
                with contextlib.suppress(psutil.NoSuchProcess):
                    if set(words) <= set(each.cmdline()):
                        found.append((each.create_time(), each.pid, each))
            return min(found)[2] if found else None

        return wait_until(oldest, f"a process with {words}")

    def kill_everything(self) -> None:
        """Kill -9, in no order."""
        for process in self.processes():
            # Some end by themselves when their parent is killed.
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def assert_nothing_runs(self) -> None:
        wait_until(lambda: self.processes() == [], "nothing is left running", seconds=STOP_SECONDS)
