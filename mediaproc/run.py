"""What `make run` runs: database, tables, samples, then web and workers, until told to stop.

    python -m mediaproc.run [--end-with-parent]

Ctrl-C, SIGTERM or SIGHUP ends all that it started, within 10 s. Any trouble is one line. What dies
by itself is started again, PostgreSQL too; what does not come up again ends all.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import environ

from mediaproc import embedded_postgres
from mediaproc.banner import banner, responds
from mediaproc.parent_death import die_with_parent

_PROJECT = Path(__file__).resolve().parent.parent
_LOOK_SECONDS = 0.5
_FREE_BYTES = 100 * 1024 * 1024
_PORTS = range(1, 65536)


class StartError(Exception):
    """The service cannot start; the message says why and what to do."""


def main() -> int:
    """Exit code: 0 when told to stop, 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m mediaproc.run", description=__doc__)
    parser.add_argument(
        "--end-with-parent", action="store_true", help="stop when the process that started us dies"
    )
    if parser.parse_args().end_with_parent:
        die_with_parent(signal.SIGTERM, parent=os.getppid())()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    os.chdir(_PROJECT)
    try:
        _settle_environment()
        with _database() as server:
            _prepare()
            return _supervise(server)
    except KeyboardInterrupt:
        return 0
    except (StartError, embedded_postgres.EmbeddedPostgresError) as error:
        print(f"mediaproc: {error}", file=sys.stderr)
        return 1


def _settle_environment() -> None:
    """What this process decides for the ones that it starts; the environment and .env win."""
    environ.Env.read_env(_PROJECT / ".env")
    defaults = {
        "DEBUG": "True",
        "BIND_HOST": "127.0.0.1",
        "PORT": "8000",
        # Below the time after which mediaproc/processes.py kills what has not ended.
        "WORKER_GRACE_SECONDS": "3",
        "PYTHONUNBUFFERED": "1",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    programs = Path(sys.executable).parent
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    _check_port(os.environ["BIND_HOST"], os.environ["PORT"])
    _check_disk()


def _check_port(host: str, port: str) -> None:
    if not port.isascii() or not port.isdigit() or int(port) not in _PORTS:
        raise StartError(f"PORT is {port!r}; it must be a number from 1 to 65535.")
    elsewhere = "`PORT=8001 make run` takes another."
    try:
        with socket.create_server((host, int(port))):
            pass
    except PermissionError as error:
        raise StartError(f"Port {port} needs root's rights. {elsewhere}") from error
    except OSError as error:
        raise StartError(
            f"Port {port} on {host} is not free ({error.strerror}). {elsewhere}"
        ) from error


def _check_disk() -> None:
    free = shutil.disk_usage(_PROJECT).free
    if free < _FREE_BYTES:
        raise StartError(
            f"The disk of {_PROJECT} is full: {free >> 20} MB are free, and it takes"
            f" {_FREE_BYTES >> 20} MB to start."
        )


@contextlib.contextmanager
def _database() -> Iterator[embedded_postgres.Server | None]:
    """The embedded server, unless the environment names another."""
    if any(os.environ.get(name) for name in ("DATABASE_URL", "DATABASE_URL_FILE", "DB_HOST")):
        yield None
        return
    with embedded_postgres.start() as server:
        os.environ["DATABASE_URL"] = server.url
        try:
            yield server
        finally:
            _ignore_signals()


def _prepare() -> None:
    """In a process of its own: it loads Django, which this one need not keep in memory."""
    finished = subprocess.run(
        [sys.executable, "-m", "mediaproc.prepare"],
        check=False,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    if finished.returncode != 0:
        said = finished.stderr.strip().splitlines()
        raise StartError(said[-1] if said else "Preparing database and media store was killed.")


def _supervise(server: embedded_postgres.Server | None) -> int:
    """Run the Procfile until it ends or we are told to. Exit code 1: it has said why it ended."""
    began = time.monotonic()
    database_pid = None if server is None else server.pid
    # A session of its own, so that Ctrl-C reaches it by us alone.
    processes = subprocess.Popen(
        [sys.executable, "-m", "mediaproc.processes"],
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - we have one thread
    )
    try:
        announced = False
        while processes.poll() is None:
            if not announced and responds():
                print(banner(server, time.monotonic() - began), flush=True)
                announced = True
            if server is not None:
                database_pid = _see_that_it_runs(server, database_pid)
            with contextlib.suppress(subprocess.TimeoutExpired):
                processes.wait(_LOOK_SECONDS)
    except KeyboardInterrupt:
        return 0
    finally:
        _ignore_signals()
        processes.terminate()
        processes.wait()
    if processes.returncode != 1:
        raise StartError("mediaproc.processes was ended, and with it web and workers.")
    return 1


def _see_that_it_runs(server: embedded_postgres.Server, pid: int | None) -> int | None:
    """The server's process id. Where it is not `pid` any more, its keeper starts it again, or we
    start both. Raises EmbeddedPostgresError when that takes a minute."""
    if server.pid != pid or server.keeper_pid is None:
        print(f"mediaproc: PostgreSQL died and is started again. Its log: {server.log}", flush=True)
        server.ensure()
    return server.pid


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
