"""How a command ends when something is in the way: in words, with its exit status."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management.base import CommandError
from django.db import Error, InterfaceError, OperationalError

from jobs.queue.errors import QueueError
from jobs.queue.pause import NoSuchPool

USAGE = 2  # what was asked makes no sense; 1: it was refused
INTERRUPTED = 130
_NOT_THERE = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)


class Refused(Exception):
    """What a command was asked for cannot be done. The text is for people."""


@contextmanager
def in_words() -> Iterator[None]:
    """Raise CommandError, one line for people, for what can be in the way of a command."""
    try:
        yield
    except (QueueError, NoSuchPool, Refused) as refusal:
        raise CommandError(str(refusal)) from None
    except (OperationalError, InterfaceError) as error:
        raise CommandError(f"The database does not answer: {_first_line(error)}") from error
    except Error as error:
        if not isinstance(error.__cause__, _NOT_THERE):
            raise
        raise CommandError(
            f"The database is not that of this version: {_first_line(error)}. Run migrate."
        ) from error
    except KeyboardInterrupt:
        raise CommandError(
            "Interrupted. What was done until now stays done.", returncode=INTERRUPTED
        ) from None
    except BrokenPipeError:
        # Who read has enough. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
