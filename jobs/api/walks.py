"""Along which index a list is read, so that its cost depends on nothing else.

Two indexes have the rows of one owner in the order of their ids: that of owners, and the primary
key, which has everybody's. The planner takes the latter where it believes that the next fifty are
found soon; it does not know that they are all old, behind a million of others. So a walk leaves it
no choice. The order begins with the column, which the primary key does not have, and the condition
is `= ANY` of one value, for after an equality the planner drops the column from the order. What
would sort, or read a second table whole, is switched off.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import psycopg
from django.db import OperationalError, connection, transaction
from django.db.models import BooleanField, F, Func, Model, Q, QuerySet, Value
from rest_framework.exceptions import APIException

Row = TypeVar("Row", bound=Model)
# Of milliseconds; longer are cold disks, and locks.
LONGEST_SECONDS = 5.0
EVERYTHING = Q()

_BY_INDEX = """
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
       set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true),
       set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
       set_config('statement_timeout', %s, true)
"""


@dataclass(frozen=True, slots=True)
class Walk(Generic[Row]):
    """rows: what an index has in the order of their ids. rest: what else must hold, which each row
    on the way is asked. column: the index begins with it, before the id."""

    rows: QuerySet[Row]
    rest: Q = EVERYTHING
    column: str | None = None

    def ordered(self, *, descending: bool = False) -> QuerySet[Row]:
        """The rows in the order of the walk."""
        columns = ("id",) if self.column is None else (self.column, "id")
        return self.rows.order_by(*(f"-{one}" if descending else one for one in columns))


def along(column: str, value: Any, rows: QuerySet[Row], rest: Q = EVERYTHING) -> Walk[Row]:
    """The walk along the index on `column` and id, where `column` is this value, or null."""
    held = Q(**{column: None}) if value is None else Q(_Is(F(column), Value(value)))
    return Walk(rows.filter(held), rest, column)


class _Is(Func):
    arg_joiner = " = ANY (ARRAY["
    template = "%(expressions)s])"
    output_field = BooleanField()


class TooBroad(APIException):
    """The database was not done in time."""

    status_code = 503
    default_code = "too_broad"
    default_detail = (
        f"The list was not read within {LONGEST_SECONDS:.0f} seconds. Narrow it by created_from and"
        " created_to, ask for fewer by limit, or try again later."
    )


@contextmanager
def by_walks() -> Iterator[None]:
    """A transaction for walks: whose statements keep to indexes, and to LONGEST_SECONDS.

    Raises TooBroad.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_BY_INDEX, [f"{round(LONGEST_SECONDS * 1000)}ms"])
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            raise TooBroad from error
        raise
