"""Make a cluster and say how its postmaster is started."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mediaproc.parent_death import die_with_parent

from .account import Account
from .binaries import Binaries
from .errors import EmbeddedPostgresError
from .layout import PORT, USER, Home, socket_directory

# The builtin locale provider, whose sort order no system library changes, came with 17.
_BUILTIN_LOCALE_SINCE = 17

_SETTINGS = """
# For mediaproc. Durable, as a job queue must be; edit what you like, it is written once.
max_connections = 200
shared_buffers = 128MB
fsync = on
synchronous_commit = on
max_wal_size = 512MB
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
log_line_prefix = '%m [%p] '
"""


@dataclass(frozen=True)
class Cluster:
    """One cluster: what it is made with, where it is, who it runs as."""

    root: Path
    home: Home
    binaries: Binaries
    account: Account

    @property
    def socket(self) -> Path:
        """The unix socket that clients connect to."""
        return socket_directory(self.root) / f".s.PGSQL.{PORT}"

    def make(self) -> None:
        """Initialise the cluster unless it is there; half of one is never left.

        Raises EmbeddedPostgresError when initdb fails, or when the cluster that is there was made
        by another major version.
        """
        if self.home.data.exists():
            self._check_version()
            return
        unfinished = self.home.path / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self.account.give(unfinished)
        self._initdb(unfinished)
        with (unfinished / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)
        unfinished.rename(self.home.data)

    def _initdb(self, folder: Path) -> None:
        command = [self.binaries.initdb, "-D", str(folder), "-U", USER, "-A", "trust", "-E", "UTF8"]
        command.append("--no-locale")
        if self.binaries.major >= _BUILTIN_LOCALE_SINCE:
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        finished = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=_environment(),
            preexec_fn=die_with_parent(signal.SIGTERM),
            **self.account.popen_arguments(),
        )
        if finished.returncode != 0:
            reasons = [line for line in finished.stderr.splitlines() if "error" in line.lower()]
            reason = reasons[-1] if reasons else finished.stderr.strip()
            raise EmbeddedPostgresError(f"PostgreSQL cannot make its data in {folder}: {reason}")

    def _check_version(self) -> None:
        made_by = int((self.home.data / "PG_VERSION").read_text())
        if made_by != self.binaries.major:
            raise EmbeddedPostgresError(
                f"PostgreSQL {made_by} made the data in {self.home.data}, and the programs in"
                f" {self.binaries.folder} are {self.binaries.major}. Set EMBEDDED_POSTGRES_BIN to"
                f" programs of version {made_by}, or move the data away to begin with none."
            )

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the postmaster; it logs to the home's log and ends with the calling process."""
        options = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self.socket.parent),
            "unix_socket_permissions": "0700",
            "logging_collector": "off",
            "log_destination": "stderr",
        }
        command = [self.binaries.postgres, "-D", str(self.home.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with self.home.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home.data,
                env=_environment(),
                preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - the keeper has one thread
                **self.account.popen_arguments(),
            )


def _environment() -> dict[str, str]:
    """No PGDATA, PGPORT or locale of the caller's."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
