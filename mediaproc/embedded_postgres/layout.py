"""Where the things of one embedded server are. Computes paths, touches nothing."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

DATABASE = "mediaproc"
USER = "mediaproc"
PORT = 5432

_PROJECT = Path(__file__).resolve().parents[2]
# Not tempfile.gettempdir(): two shells with different TMPDIR must find the same server, and a
# socket path may have no more than 107 bytes.
_SOCKETS = Path("/tmp")  # noqa: S108 - the directory made here is 0700 and its owner is checked


def default_root() -> Path:
    """`EMBEDDED_POSTGRES_ROOT` from the environment, else `.postgres` in the project."""
    return Path(os.environ.get("EMBEDDED_POSTGRES_ROOT") or _PROJECT / ".postgres")


def socket_directory(root: Path | None = None) -> Path:
    """The directory of the server's unix socket; `root` defaults to `default_root()`."""
    path = os.fsencode((root or default_root()).resolve())
    return _SOCKETS / f"mediaproc-{hashlib.sha256(path).hexdigest()[:12]}"


def url(root: Path | None = None, *, database: str = DATABASE) -> str:
    """The DATABASE_URL of the server of `root`, running or not. Starts and checks nothing."""
    return f"postgresql://{USER}@/{database}?host={socket_directory(root)}&port={PORT}"


@dataclass(frozen=True)
class Home:
    """The folder that holds one server's data, locks and log."""

    path: Path

    @property
    def data(self) -> Path:
        """The cluster; PostgreSQL's own."""
        return self.path / "data"

    @property
    def log(self) -> Path:
        """What the server and its keeper say; bounded, the older half is in `server.log.1`."""
        return self.path / "server.log"

    @property
    def clients_lock(self) -> Path:
        """Held shared by everyone who needs the server."""
        return self.path / "clients.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held exclusively by the keeper; holds its process id."""
        return self.path / "keeper.lock"

    @property
    def postmaster_pid(self) -> Path:
        """PostgreSQL's own pid file, which tells when the server is ready."""
        return self.data / "postmaster.pid"
