"""`make run` as README promises it: real processes, really stopped and really killed."""

import contextlib
import fcntl
import io
import os
import pty
import re
import signal
import socket
import subprocess
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mediaproc import embedded_postgres
from mediaproc.embedded_postgres.home import find_home
from tests.films import ffmpegs, make_film, runs
from tests.service import (
    MAKE_RUN,
    PROJECT,
    PROMISED_STOP_SECONDS,
    RUN,
    START_SECONDS,
    STOP_SECONDS,
    Service,
    free_port,
)
from tests.waiting import wait_until

_EXAMPLE = {"source_file": "video.mp4", "target_format": "avi", "priority": "high"}
_DATABASE_DIED = "mediaproc: PostgreSQL died and is started again."

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # As root, pytest's own folders are closed to the account of the database server.
    with tempfile.TemporaryDirectory(prefix="mediaproc-run-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
        embedded_postgres.remove(Path(name) / "postgres")


@pytest.fixture
def service(folder: Path) -> Iterator[Service]:
    """A service on what earlier tests left in the database and the media store."""
    service = Service(folder)
    yield service
    service.kill_everything()
    service.assert_nothing_runs()


def _stop(started: "subprocess.Popen[bytes]", number: signal.Signals) -> int:
    began = time.monotonic()
    started.send_signal(number)
    code = started.wait(STOP_SECONDS)
    assert time.monotonic() - began < PROMISED_STOP_SECONDS
    return code


def test_the_example_of_the_readme_and_a_second_start_that_keeps_it(service: Service) -> None:
    first = service.start()
    job_id = service.submit(**_EXAMPLE)
    wait_until(lambda: service.job(job_id)["status"] == "COMPLETED", "the job is COMPLETED")
    job = service.job(job_id)
    assert job["metrics"]["processing_time_seconds"] > 0
    assert [path.suffix for path in (service.media / "outputs").rglob("*") if path.is_file()]
    assert _stop(first, signal.SIGTERM) == 0
    service.assert_nothing_runs()

    second = service.start()
    assert service.job(job_id) == job
    assert _stop(second, signal.SIGINT) == 0
    service.assert_nothing_runs()


def test_ctrl_c_in_a_terminal(service: Service) -> None:
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    started = subprocess.Popen(
        MAKE_RUN,
        cwd=PROJECT,
        env=service.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=take_terminal,  # noqa: PLW1509 - the test has one thread
    )
    os.close(theirs)
    with io.FileIO(ours, "r+") as terminal:
        said = _read_until(terminal, f"{service.url}/submit_job".encode())
        assert service.health() == httpx.codes.OK
        terminal.write(b"\x03")
        said += _read_until(terminal, None)
    started.wait(STOP_SECONDS)
    service.assert_nothing_runs()
    assert b"Traceback" not in said


def _read_until(terminal: io.FileIO, word: bytes | None) -> bytes:
    """What the terminal shows until `word`, or until nobody writes to it any more."""
    said = b""
    with contextlib.suppress(OSError):
        while (word is None or word not in said) and (chunk := terminal.read(65536)):
            said += chunk
    return said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_make_ends_all(service: Service, number: signal.Signals) -> None:
    started = service.start(MAKE_RUN)
    _stop(started, number)
    service.assert_nothing_runs()


@pytest.mark.parametrize("module", ["mediaproc.run", "mediaproc.processes"])
def test_kill_9_of_a_supervisor_ends_all(service: Service, module: str) -> None:
    started = service.start()
    service.process("-m", module).kill()
    started.wait(STOP_SECONDS)
    service.assert_nothing_runs()


def test_kill_9_of_everything_and_a_new_start(service: Service) -> None:
    started = service.start()
    job_id = service.submit(**_EXAMPLE)
    service.kill_everything()
    started.wait(STOP_SECONDS)
    service.assert_nothing_runs()
    again = service.start()
    assert service.job(job_id)["source_file"] == "video.mp4"
    _stop(again, signal.SIGTERM)


def test_kill_9_of_the_database_heals(service: Service) -> None:
    started = service.start()
    keeper = service.process("-m", "mediaproc.embedded_postgres", "keep")
    server = next(each for each in keeper.children() if each.name() == "postgres")
    server.kill()
    wait_until(lambda: _DATABASE_DIED in service.log.read_text(), "the death is told")
    service.wait_until_up(started)
    job_id = service.submit(**_EXAMPLE)
    wait_until(lambda: service.job(job_id)["status"] == "COMPLETED", "the job is COMPLETED")
    assert _stop(started, signal.SIGTERM) == 0


def test_kill_9_of_the_keeper_of_the_database_heals(service: Service) -> None:
    started = service.start()
    keeper = service.process("-m", "mediaproc.embedded_postgres", "keep")
    server = next(each for each in keeper.children() if each.name() == "postgres")
    keeper.kill()
    wait_until(lambda: not server.is_running(), "the server is gone with its keeper")
    service.wait_until_up(started)
    service.submit(**_EXAMPLE)
    assert service.log.read_text().count(_DATABASE_DIED) == 1
    assert _stop(started, signal.SIGTERM) == 0


def test_a_database_that_does_not_come_up_again_ends_all(service: Service) -> None:
    started = service.start()
    keeper = service.process("-m", "mediaproc.embedded_postgres", "keep")
    control = find_home(service.root).data / "global" / "pg_control"
    away = control.rename(control.with_suffix(".away"))
    keeper.kill()
    assert started.wait(START_SECONDS) == 1
    away.rename(control)
    service.assert_nothing_runs()
    assert "mediaproc: PostgreSQL did not start" in service.log.read_text()


def test_kill_9_of_a_worker_in_the_middle_of_a_transcode(service: Service) -> None:
    started = service.start(JOB_LEASE_SECONDS="3")
    film = make_film(service.media, "film.mp4", seconds=10)
    job_id = service.submit(source_file=film, target_format="webm", priority="low")
    wait_until(lambda: (_details(service, job_id)["progress"] or 0) > 0, "the encode gets on")
    worker = service.process("run_workers", "low")
    encoders = ffmpegs(worker.pid)
    assert encoders
    worker.kill()

    wait_until(lambda: service.job(job_id)["status"] == "COMPLETED", "COMPLETED", seconds=180)
    assert started.poll() is None
    assert not any(runs(each) for each in encoders)
    lost, completed = _details(service, job_id, "/events")["attempts"]
    assert (lost["outcome"], completed["outcome"]) == ("lost", "completed")
    assert lost["worker"].endswith(f":{worker.pid}")
    assert completed["worker"].endswith(f":{service.process('run_workers', 'low').pid}")
    assert "worker_low was killed by SIGKILL and is started again" in service.log.read_text()

    # And a stop in the middle keeps to its time.
    job_id = service.submit(source_file=film, target_format="webm", priority="low")
    wait_until(lambda: (_details(service, job_id)["progress"] or 0) > 0, "the encode gets on")
    assert _stop(started, signal.SIGINT) == 0
    service.assert_nothing_runs()


def _details(service: Service, job_id: str, more: str = "") -> dict[str, Any]:
    return dict(httpx.get(f"{service.url}/jobs/{job_id}{more}", timeout=30).json())


def test_kill_9_of_the_web_server_heals(service: Service) -> None:
    started = service.start()
    web = service.process("mediaproc.wsgi")
    children = web.children()
    assert children
    for child in children:
        child.suspend()  # it would end by itself at some time, and has the port until then
    web.kill()
    told = "web was killed by SIGKILL and is started again"
    wait_until(lambda: told in service.log.read_text(), "the death is told")
    wait_until(lambda: not any(runs(each) for each in children), "its children are gone")
    service.wait_until_up(started)
    assert _stop(started, signal.SIGTERM) == 0


def test_a_process_that_dies_again_and_again_ends_all(service: Service) -> None:
    # Then there is no pool for the second worker.
    finished = _run(service, POOLS="high=0-10:4")
    assert finished.returncode == 1
    assert finished.stderr == (
        "mediaproc: worker_low died 5 times in a row, soon after its start; the last time it ended"
        " with exit code 2. What it said is above. Everything was stopped.\n"
    )
    told = re.findall(r"worker_low ended with exit code 2 and .* in (\S+) s", finished.stdout)
    assert told == ["0.5", "1", "2", "4"]
    assert "there is no pool 'low'" in finished.stdout
    service.assert_nothing_runs()


def _complaint(service: Service, **more: str) -> str:
    """The one line that a start that cannot work says."""
    finished = _run(service, **more)
    assert finished.returncode == 1
    assert finished.stderr.startswith("mediaproc: ")
    assert "Traceback" not in finished.stderr
    assert service.processes() == []
    return finished.stderr


def _run(service: Service, **more: str) -> "subprocess.CompletedProcess[str]":
    """A start that ends by itself."""
    return subprocess.run(
        RUN,
        cwd=PROJECT,
        env=service.environment(**more),
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )


def test_a_taken_port(service: Service) -> None:
    with socket.create_server(("127.0.0.1", service.port)):
        said = _complaint(service)
    assert said.count("\n") == 1
    assert f"Port {service.port} on 127.0.0.1 is not free" in said
    assert "PORT=8001 make run" in said


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "80.5", " "])
def test_a_port_that_is_none(service: Service, port: str) -> None:
    said = _complaint(service, PORT=port)
    assert said == f"mediaproc: PORT is {port!r}; it must be a number from 1 to 65535.\n"


def test_a_database_that_is_not_there(service: Service) -> None:
    said = _complaint(service, DATABASE_URL=f"postgres://nobody@127.0.0.1:{free_port()}/none")
    assert said.count("\n") == 1
    assert "Connection refused" in said


def test_production_without_a_key(service: Service) -> None:
    said = _complaint(service, DEBUG="False", SECRET_KEY="")
    assert said.count("\n") == 1
    assert "SECRET_KEY is not set" in said


def test_programs_of_the_database_that_are_not_there(service: Service, tmp_path: Path) -> None:
    said = _complaint(service, EMBEDDED_POSTGRES_BIN=str(tmp_path))
    assert said.count("\n") == 1
    assert f"no program `initdb` in {tmp_path}" in said
