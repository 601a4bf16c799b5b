"""The running server as its pid file and the process table tell it."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from .cluster import Cluster
from .errors import EmbeddedPostgresError
from .home import make_socket_directory
from .layout import Home
from .waiting import wait_until

# In postmaster.pid: PostgreSQL's src/include/utils/pidfile.h.
_STATUS_LINE = 7
_SHUTDOWN = ((signal.SIGINT, 4.0), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 2.0))


def running_pid(home: Home) -> int | None:
    """The process id of the postmaster of `home`, or None when none runs."""
    pid = _recorded_pid(home)
    return pid if pid is not None and _serves(pid, home.data) else None


def is_ready(home: Home, pid: int) -> bool:
    """Whether the postmaster `pid` says that it takes connections."""
    lines = _pid_file(home)
    return (
        len(lines) > _STATUS_LINE
        and lines[0].strip() == str(pid)
        and lines[_STATUS_LINE].strip() == "ready"
    )


def _pid_file(home: Home) -> list[str]:
    try:
        return home.postmaster_pid.read_text().splitlines()
    except OSError:
        return []


def _recorded_pid(home: Home) -> int | None:
    lines = _pid_file(home)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _serves(pid: int, data: Path) -> bool:
    """Whether process `pid` is a postmaster of `data`, and not a stranger with its old number."""
    if Path("/proc/self/cmdline").exists():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(data) in arguments
    shown = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)],  # noqa: S607 - where it is differs
        capture_output=True,
        text=True,
        check=False,
    )
    return str(data) in shown.stdout


class Postmaster:
    """The postmaster that this process starts, stops and starts again."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float) -> None:
        """Start it afresh and wait until it takes connections.

        Raises EmbeddedPostgresError with the server's own reason when it does not.
        """
        home = self._cluster.home
        self.stop()
        self._end_leftover()
        for old in make_socket_directory(self._cluster.root, self._cluster.account).iterdir():
            old.unlink()
        said_before = home.log.stat().st_size
        process = self._process = self._cluster.launch()
        wait_until(lambda: is_ready(home, process.pid) or process.poll() is not None, seconds)
        if not is_ready(home, process.pid):
            self.stop()
            reason = _last_complaint(home.log, said_before)
            raise EmbeddedPostgresError(f"PostgreSQL did not start: {reason} (log: {home.log})")

    def is_up(self) -> bool:
        """Whether it runs and its socket is there: people empty /tmp."""
        process = self._process
        return process is not None and process.poll() is None and self._cluster.socket.exists()

    def stop(self) -> None:
        """Stop it: fast, and by force when it takes long. Nothing committed is lost either way."""
        process = self._process
        if process is None:
            return
        for number, seconds in _SHUTDOWN:
            if process.poll() is None:
                process.send_signal(number)
                wait_until(lambda: process.poll() is not None, seconds)
        shutil.rmtree(self._cluster.socket.parent, ignore_errors=True)

    def _end_leftover(self) -> None:
        """End a postmaster whose keeper was killed; disarm the pid file of one that is gone."""
        home = self._cluster.home
        for number, seconds in _SHUTDOWN:
            pid = running_pid(home)
            if pid is not None:
                os.kill(pid, number)
                wait_until(lambda: running_pid(home) is None, seconds)
        stale = _pid_file(home)
        if stale:
            # Its number may belong to a stranger now. PostgreSQL takes a pid file that names its
            # own parent for stale, and still checks the shared memory that the other lines name.
            home.postmaster_pid.write_text("\n".join([str(os.getpid()), *stale[1:], ""]))


def _last_complaint(log: Path, offset: int) -> str:
    with log.open("rb") as lines:
        lines.seek(offset)
        said = lines.read().decode(errors="replace").splitlines()
    for level in ("PANIC:", "FATAL:"):
        for line in reversed(said):
            if level in line:
                return line.partition(level)[2].strip()
    return said[-1].strip() if said else "it took too long"
