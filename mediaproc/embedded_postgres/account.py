"""Who the server runs as. PostgreSQL refuses root, so root hands it to a plain account."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import EmbeddedPostgresError

_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """The user and group the server runs as; `dropped` when we are root and it is another."""

    uid: int
    gid: int
    dropped: bool

    def popen_arguments(self) -> dict[str, Any]:
        """What subprocess needs to start a process as this account."""
        if not self.dropped:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make the account own `path`."""
        if self.dropped:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_reach(self, path: Path) -> bool:
        """Whether the account itself can enter the folder or run the program: asks the kernel."""
        if not self.dropped:
            return os.access(path, os.X_OK)
        command = [shutil.which("test") or "/usr/bin/test", "-x", str(path)]
        try:
            finished = subprocess.run(
                command, check=False, cwd="/", user=self.uid, group=self.gid, extra_groups=[]
            )
        except PermissionError as error:
            raise EmbeddedPostgresError(
                "Running as root without the right to become another user, and PostgreSQL refuses"
                f" root ({error}). Run as an ordinary user, or set DATABASE_URL to a server."
            ) from error
        return finished.returncode == 0


def server_account(data: Path) -> Account:
    """The account for the server whose cluster is (or will be) `data`.

    An ordinary user runs it himself. Root runs it as the owner of a cluster that is already
    there, else as `postgres`, else as `nobody`. Raises EmbeddedPostgresError without any.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), dropped=False)
    if data.exists() and data.stat().st_uid != 0:
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid, dropped=True)
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, dropped=True)
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody` to run"
        " it as. Run as an ordinary user, or set DATABASE_URL to a server."
    )
