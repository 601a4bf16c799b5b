"""Real `run_workers` processes for tests."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from django.db import connection

from jobs.models import Job, WorkerProcess
from tests.waiting import PATIENT_SECONDS, wait_until

PROJECT = Path(__file__).resolve().parent.parent
FINAL = ("COMPLETED", "FAILED", "CANCELLED")


def database_url() -> str:
    """DATABASE_URL of the test database."""
    name = connection.settings_dict["NAME"]
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


class WorkerUnderTest:
    """One process and what it logged."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.pid = process.pid
        self._log = log

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """The JSON lines logged so far, of one event or of all."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines() if line[:1] == "{"]
        return [line for line in lines if name is None or line["event"] == name]

    def output(self) -> str:
        """All that it wrote."""
        return self._log.read_text()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the worker process alone."""
        self.process.send_signal(number)

    def wait(self, seconds: float = PATIENT_SECONDS) -> int:
        """Its exit code."""
        return self.process.wait(seconds)


def environment_of(database_url: str) -> dict[str, str]:
    """For a command that shall see the test database."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "mediaproc.settings",
        "DATABASE_URL": database_url,
    }


class Workers:
    """Starts and ends them."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        self._folder = folder
        self._all: list[WorkerUnderTest] = []

    def start(self, *arguments: str, ready: bool = True, **environment: str) -> WorkerUnderTest:
        """Start `run_workers` and wait until it serves. Keywords become its environment."""
        log = self._folder / f"worker-{len(self._all)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "run_workers", *arguments],
                cwd=PROJECT,
                env=environment_of(self.database_url) | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        worker = WorkerUnderTest(process, log)
        self._all.append(worker)
        if ready:
            wait_until(lambda: self._serves(worker), f"{arguments} serves")
        return worker

    def kill_all(self) -> None:
        """SIGKILL to all that are left."""
        for worker in self._all:
            if worker.process.poll() is None:
                worker.send(signal.SIGKILL)
                worker.process.wait()

    def _serves(self, worker: WorkerUnderTest) -> bool:
        if worker.process.poll() is not None:
            raise AssertionError(f"the worker ended:\n{worker.output()}")
        return WorkerProcess.objects.filter(name__endswith=f":{worker.pid}").exists()


def wait_final(*job_ids: UUID, seconds: float = PATIENT_SECONDS) -> list[Job]:
    """The jobs once all of them are final, in the order given."""
    wait_until(
        lambda: Job.objects.filter(id__in=job_ids, status__in=FINAL).count() == len(set(job_ids)),
        f"{len(job_ids)} jobs final",
        seconds=seconds,
    )
    found = {job.id: job for job in Job.objects.filter(id__in=job_ids).select_related("metrics")}
    return [found[job_id] for job_id in job_ids]
