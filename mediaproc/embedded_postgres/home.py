"""Make the folder that holds one server, and the private directory of its socket."""

import os
import secrets
import shutil
import stat
from pathlib import Path

from .account import Account
from .errors import EmbeddedPostgresError
from .layout import Home, socket_directory

# A folder like /root/project lets nobody else in, so a server that root starts lives here.
_ELSEWHERE = Path("/var/lib/mediaproc")
_LINK = "elsewhere"
_FREE_BYTES_NEW = 300 * 1024 * 1024
_FREE_BYTES = 50 * 1024 * 1024


def find_home(root: Path) -> Home:
    """The home of the server of `root` as it is, made or not."""
    link = root / _LINK
    return Home(link.readlink() if link.is_symlink() else root.resolve())


def make_home(root: Path, account: Account) -> Home:
    """The home of the server of `root`, made when it is not there, which `account` can enter.

    Raises EmbeddedPostgresError when it cannot be made or the disk is full.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        home = find_home(root)
        if home.path == root.resolve():
            if account.dropped and root.stat().st_uid == os.geteuid():
                root.chmod(0o711)
            if not account.can_reach(root):
                home = _make_elsewhere(root)
        _check_disk(home)
        for lock in (home.clients_lock, home.keeper_lock):
            lock.touch()
            _give_to_owner_of(home, lock)
        home.log.touch()
        account.give(home.log)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"Cannot use {root} for PostgreSQL's data: {error.strerror}: {error.filename}."
            " Set EMBEDDED_POSTGRES_ROOT to a folder of your own, or DATABASE_URL to a server."
        ) from error
    return home


def _make_elsewhere(root: Path) -> Home:
    _ELSEWHERE.mkdir(parents=True, exist_ok=True)
    _ELSEWHERE.chmod(0o755)
    made = _ELSEWHERE / f"{root.resolve().parent.name}-{secrets.token_hex(4)}"
    made.mkdir()
    made.chmod(0o711)
    try:
        (root / _LINK).symlink_to(made)
    except FileExistsError:
        made.rmdir()
    return find_home(root)


def _check_disk(home: Home) -> None:
    needed = _FREE_BYTES if home.data.exists() else _FREE_BYTES_NEW
    free = shutil.disk_usage(home.path).free
    if free < needed:
        raise EmbeddedPostgresError(
            f"The disk of {home.path} is full: {free >> 20} MB are free and PostgreSQL needs"
            f" {needed >> 20} MB. Free some, or set EMBEDDED_POSTGRES_ROOT to a folder elsewhere."
        )


def _give_to_owner_of(home: Home, path: Path) -> None:
    """Root helping out in somebody's project must not lock its owner out."""
    if os.geteuid() == 0:
        owner = home.path.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def make_socket_directory(root: Path, account: Account) -> Path:
    """The socket's directory, which only `account` (and root) can enter.

    Raises EmbeddedPostgresError when somebody else made it first.
    """
    directory = socket_directory(root)
    try:
        directory.mkdir(mode=0o700)
        account.give(directory)
    except FileExistsError:
        pass
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid:
        raise EmbeddedPostgresError(
            f"{directory} is needed for PostgreSQL's socket but belongs to another user"
            f" ({found.st_uid}). Remove it, or set EMBEDDED_POSTGRES_ROOT to another folder."
        )
    directory.chmod(0o700)
    return directory
