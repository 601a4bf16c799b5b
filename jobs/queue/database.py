"""The engine's own way to PostgreSQL: Django's connection, with server-side prepared statements.

Django's cursor formats every value into the text of the statement; the engine's few statements run
thousands of times a second and are prepared once a connection instead.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg.types.json import Jsonb

PREPARE = None if settings.PGBOUNCER else True


@contextmanager
def engine_cursor() -> Iterator[psycopg.Cursor[Any]]:
    """A psycopg cursor on this thread's Django connection, inside its transaction if there is one.

    Raises django.db.OperationalError (and its kin) like Django's own cursor.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor


def fetch(sql: str, params: dict[str, Any]) -> list[Any]:
    """Run one prepared statement and return its rows as tuples."""
    with engine_cursor() as cursor:
        cursor.execute(sql, params, prepare=PREPARE)
        return cursor.fetchall()


def is_duplicate(error: Exception) -> bool:
    """Whether a django.db error says that a unique value was there already."""
    return isinstance(error.__cause__, psycopg.errors.UniqueViolation)


def hang_up(raw: psycopg.Connection[Any]) -> bool:
    """Let the thread that waits for this connection fail: to be called by another thread.

    The caller sees to it that nobody closes the connection meanwhile. Returns False when it is
    closed already. Cancelling would be no help: that asks the very server that does not answer.
    """
    try:
        number = raw.pgconn.socket
        with socket.socket(fileno=os.dup(number)) as ours:
            # libpq closes a broken connection's socket itself: look again what this is one of.
            if raw.pgconn.socket != number:
                return False
            ours.shutdown(socket.SHUT_RDWR)
    except (psycopg.Error, OSError):
        return False
    return True


def direct_parameters(**changed: Any) -> dict[str, Any]:
    """How psycopg connects to the same database, for a connection that Django does not keep."""
    parameters = connection.get_connection_params()
    for of_django in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(of_django, None)
    return parameters | changed


__all__ = [
    "Jsonb",
    "direct_parameters",
    "engine_cursor",
    "fetch",
    "hang_up",
    "is_duplicate",
]
