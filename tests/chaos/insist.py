"""What the programme does for itself can fail on a machine that has too much to do: it is written
down and done again. Only what cannot be done at all ends a run."""

import subprocess
import time
from collections.abc import Callable
from typing import TypeVar

import httpx
import psutil
import psycopg
from django.db.utils import Error as DjangoError
from redis.exceptions import RedisError

from mediaproc.embedded_postgres import EmbeddedPostgresError
from tests.chaos.clock import now
from tests.chaos.disk import NotPossible
from tests.chaos.ledger import Ledger

T = TypeVar("T")
_PAUSE_SECONDS = 0.2
# AssertionError: `wait_until`. OSError has TimeoutError in it.
TROUBLES = (
    psycopg.Error,
    DjangoError,
    EmbeddedPostgresError,
    NotPossible,
    RedisError,
    psutil.Error,
    httpx.TransportError,
    subprocess.SubprocessError,
    OSError,
    AssertionError,
)


def insist(operation: Callable[[], T], what: str, ledger: Ledger, *, seconds: float = 60.0) -> T:
    """The operation's result; it must bear being done again.

    Raises its last error once it has failed for so many seconds.
    """
    until = now() + seconds
    while True:
        try:
            return operation()
        except TROUBLES as error:
            note(what, error, ledger)
            if now() > until:
                raise
        time.sleep(_PAUSE_SECONDS)


def attempt(operation: Callable[[], object], what: str, ledger: Ledger) -> bool:
    """Whether it was done, tried for a second; a run can go on when nothing comes of it."""
    try:
        insist(operation, what, ledger, seconds=1.0)
    except TROUBLES:
        return False  # it is written down
    return True


def note(what: str, error: BaseException, ledger: Ledger) -> None:
    """Write down that something of the programme itself went wrong."""
    ledger.write("trouble", doing=what, error=f"{type(error).__name__}: {str(error).strip()[:300]}")
