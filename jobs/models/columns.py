"""What columns of several tables share."""

from uuid import UUID

from django.db.models.expressions import RawSQL
from uuid_utils.compat import uuid7

# The moment of the statement, also inside a transaction: Now() is the transaction's beginning.
CLOCK = RawSQL("clock_timestamp()", ())


def new_id() -> UUID:
    """A UUIDv7: sorts by time of creation, also within one millisecond of a process."""
    return uuid7()
