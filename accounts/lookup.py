"""The account behind a token, in one statement.

It runs with every request. Composing it anew by the ORM takes several times as long as to run it.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError
from django.db.models import DateTimeField, Model, UUIDField

from accounts.models import Account, Token
from jobs.statement import Statement, own_connection

# What every request asks of them; Django reads the other columns when somebody wants them.
_READ: dict[type[Model], set[str]] = {
    Token: {"digest", "id", "user_id", "scopes", "lives_on", "created", "expiry", "last_used_at"},
    User: {"id", "username", "is_active", "is_staff", "is_superuser"},
    Account: {"user_id", "plan"},
}
_NOT_OF_JSON: dict[type, Callable[[str], Any]] = {
    DateTimeField: datetime.fromisoformat,
    UUIDField: UUID,
}


def token_of_digest(digest: str) -> Token | None:
    """The token with its user, and his account where he has one."""
    found = first_of_request(_alone(), digest)
    return token_of_values(json.loads(found)) if found else None


def token_of_values(found: list[Any]) -> Token:
    """Made of what `of_digest()` reads."""
    values = iter(found)
    token: Token = _made(Token, values)
    user: User = _made(User, values)
    account: Account = _made(Account, values)
    token.user = user
    user._state.fields_cache["account"] = None if account.pk is None else account
    return token


def first_of_request(statement: Statement, *values: str) -> str:
    """The first statement of a request finds out whether the connection that was kept since the one
    before is good, as Django's CONN_HEALTH_CHECKS would by one more: a look can be repeated."""
    connection = own_connection()
    kept = not connection.health_check_done  # type: ignore[attr-defined]
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return statement.run(*values)
    except (OperationalError, InterfaceError):
        if not kept or connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return statement.run(*values)


@cache
def of_digest() -> str:
    """SQL: the values of the token whose digest is $1, as a JSON array; null when there is none."""
    columns = ", ".join(
        f"{model._meta.db_table}.{field.column}" for model in _READ for field in _fields(model)
    )
    return (
        f"(SELECT json_build_array({columns}) FROM accounts_token"  # noqa: S608 - columns
        " JOIN auth_user ON auth_user.id = accounts_token.user_id"
        " LEFT JOIN accounts_account ON accounts_account.user_id = auth_user.id"
        " WHERE accounts_token.digest = $1)"
    )


@cache
def _alone() -> Statement:
    return Statement(f"SELECT {of_digest()}")


@cache
def _fields(model: type[Model]) -> list[Any]:
    """In the order in which from_db takes their values."""
    return [field for field in model._meta.concrete_fields if field.attname in _READ[model]]


@cache
def _readers(model: type[Model]) -> list[Callable[[Any], Any] | None]:
    """How a value is read that JSON has as text alone."""
    return [_NOT_OF_JSON.get(type(field)) for field in _fields(model)]


def _made(model: type[Model], values: Iterator[Any]) -> Any:
    read = [
        value if reader is None or value is None else reader(value)
        for reader, value in zip(_readers(model), values, strict=False)
    ]
    return model.from_db(DEFAULT_DB_ALIAS, _READ[model], read)
