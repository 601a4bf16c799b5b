"""The detached process that keeps one server running for as long as anybody holds its lock.

    python -m mediaproc.embedded_postgres keep ROOT FOLDER_OF_PROGRAMS

It answers one line on its output: `ready`, `busy` (another keeper is at it) or `error ...`.
It restarts the server when that dies and stops it when nobody holds the lock or on SIGTERM.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from .account import server_account
from .binaries import usable_by
from .cluster import Cluster
from .errors import EmbeddedPostgresError
from .home import find_home, make_home
from .layout import Home
from .locks import FileLock
from .postmaster import Postmaster

READY = "ready"
BUSY = "busy"
ERROR = "error "

_POLL_SECONDS = 0.2
_LOG_LIMIT_BYTES = 5 * 1024 * 1024
_RETRY_SECONDS = 2.0
_LEFTOVERS_SECONDS = 10.0
# Crash recovery replays at most max_wal_size.
_START_SECONDS = 300.0


class Keeper:
    """Keeps `postmaster` up while somebody shares the clients' lock."""

    def __init__(self, home: Home, postmaster: Postmaster) -> None:
        self._home = home
        self._postmaster = postmaster
        self._clients = FileLock(home.clients_lock)
        self._told_to_stop = False
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._told_to_stop = True

    def keep(self) -> None:
        """Until nobody needs the server; then stop it.

        The clients' lock stays ours from then until we end, so a client that comes waits for the
        stop to be over and starts a keeper of its own.
        """
        retry_at = 0.0
        while not self._told_to_stop and not self._clients.try_exclusive():
            if not self._postmaster.is_up() and time.monotonic() > retry_at:
                print("keeper: the server is down; starting it", file=sys.stderr, flush=True)
                try:
                    self._postmaster.start(_START_SECONDS)
                except (EmbeddedPostgresError, OSError) as error:
                    print(f"keeper: {error}", file=sys.stderr, flush=True)
                    retry_at = time.monotonic() + _RETRY_SECONDS
            self._bound_log()
            time.sleep(_POLL_SECONDS)
        self._postmaster.stop()

    def _bound_log(self) -> None:
        log = self._home.log
        if log.stat().st_size > _LOG_LIMIT_BYTES:
            # The server keeps the file open to append, so it is emptied and not renamed.
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


def _keep(root: Path, folder: Path) -> None:
    account = server_account(find_home(root).data)
    home = make_home(root, account)
    ours = FileLock(home.keeper_lock)
    if not ours.try_exclusive():
        _answer(BUSY)
        return
    home.keeper_lock.write_text(str(os.getpid()))
    cluster = Cluster(root, home, usable_by(account, home, folder), account)
    cluster.make()
    postmaster = Postmaster(cluster)
    keeper = Keeper(home, postmaster)
    _start_first(postmaster)
    with home.log.open("ab") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    _answer(READY)
    keeper.keep()
    # The locks drop with the process: whoever sees them free may take it for gone.


def _start_first(postmaster: Postmaster) -> None:
    """Start it. Children of a server that was killed stay in the way until they notice."""
    deadline = time.monotonic() + _LEFTOVERS_SECONDS
    while True:
        try:
            postmaster.start(_START_SECONDS)
        except EmbeddedPostgresError as error:
            if "shared memory block" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


def _answer(line: str) -> None:
    print(line, flush=True)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def main(root: Path, folder: Path) -> None:
    """Detach from whoever started this, then keep."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.umask(0o022)
    try:
        _keep(root, folder)
    except (EmbeddedPostgresError, OSError) as error:
        _answer(ERROR + " ".join(str(error).split()))
        sys.exit(1)
