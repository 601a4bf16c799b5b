"""The README's own commands, run as they are written (on another port), answer as it shows."""

import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediaproc import embedded_postgres
from tests.service import PROJECT, STOP_SECONDS, Service
from tests.waiting import wait_until

README = (PROJECT / "README.md").read_text()
# What differs from run to run.
CHANGING = {"id", "job_id", "created_at", "queued_at", "started_at", "completed_at", "metrics"}

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]


class _ShortLeases(Service):
    """As `JOB_LEASE_SECONDS=5 make run` starts it, with somewhat shorter work."""

    def environment(self, **more: str) -> dict[str, str]:
        return super().environment(JOB_LEASE_SECONDS="5", SIMULATE_SECONDS_LOW="3-4", **more)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A running service of these tests' own."""
    # As root, pytest's own folders are closed to the account of the database server.
    with tempfile.TemporaryDirectory(prefix="mediaproc-readme-") as name:
        Path(name).chmod(0o755)
        service = _ShortLeases(Path(name))
        started = service.start()
        yield service
        started.send_signal(signal.SIGTERM)
        started.wait(STOP_SECONDS)
        service.kill_everything()
        embedded_postgres.remove(service.root)


def _section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def _blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def _here(command: str, service: Service) -> str:
    """The command for this service and this virtual environment."""
    here = command.replace("http://127.0.0.1:8000", service.url.removesuffix("/api/v1"))
    return here.replace(".venv/bin/python", sys.executable)


def _ask(command: str, service: Service) -> list[dict[str, Any]]:
    """Run the command in a shell; the JSON documents that it printed."""
    finished = subprocess.run(
        ["bash", "-c", _here(command, service)],  # noqa: S607 - the one on PATH, as a reader has it
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [json.loads(line) for line in finished.stdout.replace("}{", "}\n{").splitlines()]


def _same(answer: dict[str, Any], shown: dict[str, Any]) -> None:
    assert list(answer) == list(shown)
    for member in set(shown) - CHANGING:
        assert answer[member] == shown[member]


def test_the_walk_through(service: Service) -> None:
    section = _section("Try it")
    submit, ask, batch, mistake = _blocks(section, "sh")
    submitted, completed, problem = map(json.loads, _blocks(section, "json"))

    [job] = _ask(submit, service)
    _same(job, submitted)
    [refused] = _ask(mistake, service)
    assert refused == problem

    ask = ask.replace(submitted["job_id"], job["job_id"])
    wait_until(lambda: _ask(ask, service)[0]["status"] == "COMPLETED", "COMPLETED", seconds=120)
    [status] = _ask(ask, service)
    _same(status, completed)
    assert list(status["metrics"]) == list(completed["metrics"])
    assert all(status[moment].endswith("Z") for moment in status if moment.endswith("_at"))
    [output] = (service.media / "outputs" / job["job_id"]).iterdir()
    assert output.suffix == ".avi"
    [report] = _ask(batch, service)
    assert (report["accepted"], report["rejected"]) == (2, 0)


def test_a_killed_worker(service: Service) -> None:
    first, submit, kill = _blocks(_section("Kill a worker"), "sh")
    assert first.strip() == "JOB_LEASE_SECONDS=5 make run"
    worker = service.process("run_workers", "low")
    jobs = [job["job_id"] for job in _ask(submit, service)]
    assert len(jobs) == 3

    def having(status: str) -> list[str]:
        return [job_id for job_id in jobs if service.job(job_id)["status"] == status]

    lost, *_ = wait_until(lambda: having("IN_PROGRESS"), "one runs")
    assert re.fullmatch(r"kill -9 \d+\n", kill)
    assert f"worker_low started (process {worker.pid})" in service.log.read_text()
    worker.kill()
    wait_until(lambda: having("COMPLETED") == jobs, "all three jobs are done", seconds=120)
    assert _lines(service.log, "worker_low was killed by SIGKILL and is started again in 0.5 s")
    assert lost in "".join(_lines(service.log, "job.rescued"))


def _lines(log: Path, event: str) -> list[str]:
    return [line for line in log.read_text().splitlines() if event in line]
