"""One SQL statement by the shortest way that there is from Python to PostgreSQL."""

import threading
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus

# SQLSTATE invalid_sql_statement_name: psycopg drops all prepared statements after a rollback.
FORGOTTEN = b"26000"


class Statement:
    """One statement that takes and gives text, run without psycopg's cursor: half the processor
    time of a small statement is spent there.

    sql: has placeholders $1, $2 ... and returns one row of one column.
    """

    def __init__(self, sql: str) -> None:
        self._sql = sql.encode()
        self._name = f"engine_{id(self)}".encode()
        self._prepared = _PreparedOn()

    def run(self, *values: str | None) -> str:
        """The value, on this thread's Django connection.

        Raises django.db.OperationalError (and its kin) like Django's own cursor.
        """
        own = own_connection()
        if own.connection is None:
            own.ensure_connection()
        raw: psycopg.Connection[Any] = own.connection
        with own.wrap_database_errors:
            arguments = [None if value is None else _encode(value) for value in values]
            if raw.autocommit and not settings.PGBOUNCER:
                result = self._run_prepared(raw, arguments)
            else:
                if not raw.autocommit:
                    raw.execute("SELECT 1")  # psycopg begins a transaction with its first statement
                result = raw.pgconn.exec_params(self._sql, arguments)
            if result.status != ExecStatus.TUPLES_OK:
                raise _error(result)
        return (result.get_value(0, 0) or b"").decode()

    def _run_prepared(
        self, raw: psycopg.Connection[Any], arguments: list[bytes | None]
    ) -> psycopg.pq.abc.PGresult:
        if self._prepared.raw is not raw:
            self._prepare(raw)
        # None is null; psycopg's types do not say so.
        result = raw.pgconn.exec_prepared(self._name, arguments)  # type: ignore[arg-type]
        if (
            result.status != ExecStatus.TUPLES_OK
            and result.error_field(DiagnosticField.SQLSTATE) == FORGOTTEN
        ):
            self._prepare(raw)
            result = raw.pgconn.exec_prepared(self._name, arguments)  # type: ignore[arg-type]
        return result

    def _prepare(self, raw: psycopg.Connection[Any]) -> None:
        prepared = raw.pgconn.prepare(self._name, self._sql)
        if prepared.status != ExecStatus.COMMAND_OK:
            raise _error(prepared)
        self._prepared.raw = raw


def _encode(value: str) -> bytes:
    if "\x00" in value:  # libpq would read no further
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return value.encode()


class _Own(threading.local):
    def __init__(self) -> None:
        self.connection = connections[DEFAULT_DB_ALIAS]


_own = _Own()


def own_connection() -> BaseDatabaseWrapper:
    """This thread's Django connection. Django's own look for it takes longer than all else around
    a call."""
    return _own.connection


class _PreparedOn(threading.local):
    """The connection of this thread on which a statement was prepared last."""

    raw: psycopg.Connection[Any] | None = None


def _error(result: psycopg.pq.abc.PGresult) -> psycopg.Error:
    """What went wrong. libpq's own errors have no SQLSTATE: the connection is broken."""
    if result.error_field(DiagnosticField.SQLSTATE) is None:
        return psycopg.OperationalError(result.get_error_message())
    return error_from_result(result)
