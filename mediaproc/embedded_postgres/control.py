"""Start, find and stop the keeper of a root from outside."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import keeper
from .errors import EmbeddedPostgresError
from .home import find_home
from .layout import default_root
from .locks import is_held
from .waiting import wait_until

_PROJECT = Path(__file__).resolve().parents[2]
_STOP_SECONDS = 10.0


def start_keeper(root: Path, folder: Path, deadline: float) -> None:
    """Start one in the background and wait until its server takes connections.

    `deadline` is on the monotonic clock. Raises EmbeddedPostgresError with the keeper's own reason.
    """
    environment = {**os.environ, "PYTHONPATH": str(_PROJECT)}
    command = [sys.executable, "-m", str(__package__), "keep", str(root), str(folder)]
    try:
        # The keeper closes its output when it has answered and goes on in the background.
        finished = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            cwd=_PROJECT,
            env=environment,
            text=True,
            timeout=max(0.0, deadline - time.monotonic()),
        )
    except subprocess.TimeoutExpired as error:
        raise EmbeddedPostgresError(
            f"PostgreSQL in {root} takes too long to start. Its log: {find_home(root).log}"
        ) from error
    lines = finished.stdout.strip().splitlines()
    answer = lines[-1] if lines else "it was killed"
    if answer.startswith(keeper.ERROR):
        raise EmbeddedPostgresError(answer.removeprefix(keeper.ERROR))
    if answer not in (keeper.READY, keeper.BUSY):
        raise EmbeddedPostgresError(f"The keeper of PostgreSQL in {root} ended: {answer}")


def keeper_pid(root: Path) -> int | None:
    """The process id of the keeper of `root`; None when the server is not kept."""
    home = find_home(root)
    if not is_held(home.keeper_lock):
        return None
    written = home.keeper_lock.read_text().strip()
    return int(written) if written.isdigit() else None


def stop(root: Path | None = None) -> bool:
    """Stop the server of `root` though others hold it. False when it was not running."""
    root = (root or default_root()).resolve()
    pid = keeper_pid(root)
    if pid is None:
        return False
    os.kill(pid, signal.SIGCONT)
    os.kill(pid, signal.SIGTERM)
    lock = find_home(root).keeper_lock
    if not wait_until(lambda: not is_held(lock), _STOP_SECONDS):
        raise EmbeddedPostgresError(f"The keeper {pid} of {root} does not stop.")
    return True


def remove(root: Path) -> None:
    """Stop the server of `root` and delete all it has. There is no way back."""
    stop(root)
    shutil.rmtree(find_home(root).path, ignore_errors=True)
    shutil.rmtree(root, ignore_errors=True)
