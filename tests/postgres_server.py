"""What tests of the embedded server need: its processes, its data, a client to kill."""

import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg

from mediaproc import embedded_postgres
from mediaproc.embedded_postgres.home import find_home
from tests.waiting import wait_until

PROJECT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 5.0

_CLIENT = """
import sys, time
from pathlib import Path
from mediaproc import embedded_postgres
server = embedded_postgres.start(Path(sys.argv[1]))
print(server.keeper_pid, flush=True)
time.sleep(600)
"""


@contextmanager
def temporary_root() -> Iterator[Path]:
    """A root to start a server in; nothing of it is left afterwards."""
    # As root, pytest's own folders are closed to the server's account.
    folder = Path(tempfile.mkdtemp(prefix="mediaproc-test-"))
    folder.chmod(0o755)
    yield folder / "postgres"
    embedded_postgres.remove(folder / "postgres")
    assert_nothing_runs(folder / "postgres")
    shutil.rmtree(folder)


def processes(root: Path) -> list[psutil.Process]:
    """Keeper, postmaster and children of the server of `root`."""
    data = find_home(root).data
    found = []
    for process in psutil.process_iter():
        try:
            if str(root) in process.cmdline() or process.cwd() == str(data):
                found.append(process)
        except psutil.Error:
            continue
    return found


def assert_nothing_runs(root: Path) -> None:
    wait_until(lambda: not processes(root), f"nothing runs on {root}", seconds=STOP_SECONDS)


def query(url: str, sql: LiteralString, *values: str) -> object:
    """The first value of the first row; None without rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql, values)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def write(url: str) -> str:
    """Commit a word that only this call knows."""
    word = secrets.token_hex(8)
    query(url, "CREATE TABLE IF NOT EXISTS kept (word text)")
    query(url, "INSERT INTO kept VALUES (%s)", word)
    return word


def is_kept(url: str, word: str) -> bool:
    """Whether the word that `write` gave is there."""
    return query(url, "SELECT count(*) FROM kept WHERE word = %s", word) == 1


def client_of(root: Path) -> subprocess.Popen[str]:
    """A process that starts the server, prints the keeper's process id and holds on."""
    return subprocess.Popen(
        [sys.executable, "-c", _CLIENT, str(root)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    """What `process` prints first, once it does."""
    assert process.stdout is not None
    return process.stdout.readline().strip()
