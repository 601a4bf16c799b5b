"""A part of a job's history: so many events behind a place, or before it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Of the 128 of a place, those of time come first.
_KIND_BITS, _ROW_BITS = 8, 56


class Kind(IntEnum):
    """What has the same time stands in this order."""

    CREATED = 0
    ATTEMPT = 1
    ASKED = 2
    ENDED = 3
    SCHEDULED = 4
    QUEUED = 5


def place_of(at: datetime, kind: Kind, row: int = 0) -> int:
    """Where an event stands in its job's history: 128 bits. row: which of those of its kind."""
    time = (at - _EPOCH) // _MICROSECOND
    return (time << _KIND_BITS | kind) << _ROW_BITS | row


@dataclass(frozen=True, slots=True)
class Part:
    """most: so many events, None for all. place: they stand behind it, `descending` before it;
    None: from the beginning, or the end."""

    most: int | None
    place: int | None = None
    descending: bool = False

    def rows(self, rows: "QuerySet[Row]", end: str) -> list[Row]:
        """Those of which events may be in this part. What a row tells of is over at the moment in
        its column `end`, and began after all that the row before it tells of."""
        if self.place is None:
            return list(self._first(rows, end))
        at = _EPOCH + (self.place >> _KIND_BITS + _ROW_BITS) * _MICROSECOND
        if not self.descending:
            return list(self._first(rows.filter(**{f"{end}__gte": at}), end))
        begun = rows.filter(**{f"{end}__gt": at}).order_by(end)[:1]
        return [*self._first(rows.filter(**{f"{end}__lte": at}), end), *begun]

    def cut(self, places: Iterable[int]) -> list[int]:
        """Those of this part, of all that may be in it, in order."""
        ordered = sorted(places, reverse=self.descending)
        if (place := self.place) is not None:
            ordered = [one for one in ordered if (one < place if self.descending else one > place)]
        return ordered[: self.most]

    def _first(self, rows: "QuerySet[Row]", end: str) -> "QuerySet[Row]":
        # The place may be amid what the first one tells of.
        most = None if self.most is None else self.most + 1
        return rows.order_by(f"-{end}" if self.descending else end)[:most]


ALL = Part(None)
