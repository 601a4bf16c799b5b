"""Lists a page at a time, by key: each page costs the same, however many rows there are.

The walk goes along an index. What the index does not answer is looked for among so many rows of it
a page, so a page may have fewer jobs than asked for, even none, and still be followed by another.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.fields import StrictSerializer
from jobs.api.walks import Walk

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")
PAGE = 50
LARGEST_PAGE = 200
# Rows that a page looks at: some milliseconds.
LOOKED_AT = 3_000
NEWEST, OLDEST = "newest", "oldest"

_PARAMETERS = ("cursor", "limit", "order")
_BACKWARDS = "b"
_signer = Signer(salt="jobs.api.pages")
_CURSOR = {"type": "string", "pattern": r"^[0-9a-f]{48}b?:[A-Za-z0-9_-]{43}$"}


def page_parameters(order: str = NEWEST) -> list[OpenApiParameter]:
    """As the document tells them. order: where nothing is said."""
    limit = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE}
    orders = {"type": "string", "enum": [NEWEST, OLDEST], "default": order}
    text = "From the address that `next` or `prev` is."
    return [
        OpenApiParameter("limit", limit),
        OpenApiParameter("order", orders),
        OpenApiParameter("cursor", _CURSOR, description=text),
    ]


PAGE_PARAMETERS = page_parameters()


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """rows: in order. following, preceding: the addresses of the pages beside it, or null."""

    rows: list[Item]
    following: str | None
    preceding: str | None

    def response(self, **members: Sequence[Any]) -> Response:
        """The answer, with RFC 8288's Link beside the body's `next` and `prev`."""
        addresses = {"next": self.following, "prev": self.preceding}
        response = Response({**members, **addresses})
        links = [f'<{address}>; rel="{name}"' for name, address in addresses.items() if address]
        if links:
            response["Link"] = ", ".join(links)
        return response


class Asked:
    """What `cursor`, `limit` and `order` ask for: so many, and from where in which direction.

    place: of the row, as a number, behind which the page begins; None: at the beginning, or with
    `descending` at the end.
    """

    def __init__(self, request: Request, owner: int | None, order: str = NEWEST) -> None:
        """owner: who asks; a cursor serves nobody else, and no other filters. order: where nothing
        is said. Raises ValidationError."""
        self._request = request
        self.limit = _limit(request.query_params.get("limit", str(PAGE)))
        order = request.query_params.get("order", order)
        newest_first = _is_newest_first(order)
        self._cursors = _Cursors(_digest(request, owner, order))
        self._place = self._cursors.read(request.query_params.get("cursor"))
        self._backwards = self._place is not None and self._place.backwards
        self.descending = newest_first != self._backwards
        self.place = None if self._place is None else self._place.number

    def page(
        self, rows: list[Item], number_of: Callable[[Item], int], last_looked_at: int | None = None
    ) -> Page[Item]:
        """Made of these, which are one more than `limit` where there are more.

        last_looked_at: where the next page begins though there are no more rows here.
        """
        last = number_of(rows[self.limit - 1]) if len(rows) > self.limit else last_looked_at
        onward = None if last is None else self._address(_Place(last, self._backwards))
        back = None if self._place is None else self._address(self._place.turned(self.descending))
        if self._backwards:
            return Page(rows[: self.limit][::-1], following=back, preceding=onward)
        return Page(rows[: self.limit], following=onward, preceding=back)

    def _address(self, place: "_Place") -> str:
        parameters = {**self._request.query_params.dict(), "cursor": self._cursors.made(place)}
        return f"{self._request.path}?{urlencode(parameters)}"


def page_of(request: Request, walks: Sequence[Walk[Row]], owner: int | None) -> Page[Row]:
    """The page that is asked for.

    walks: ways to the same rows. The first that comes to its end among LOOKED_AT rows is taken,
    else the last. owner: who asks. Called inside `by_walks`. Raises ValidationError.
    """
    asked = Asked(request, owner)
    place = None if asked.place is None else UUID(int=asked.place)
    found, last_looked_at = _looked_at(walks, place, asked.descending)
    return asked.page(
        list(found[: asked.limit + 1]),
        lambda row: int(row.pk),
        None if last_looked_at is None else int(last_looked_at),
    )


def filters_of(request: Request) -> dict[str, Any]:
    """The other parameters. Raises ValidationError when one is given twice."""
    for name, values in request.query_params.lists():
        if len(values) > 1:
            raise ValidationError({name: "Give it once."}, code="repeated")
    return {name: value for name, value in request.query_params.items() if name not in _PARAMETERS}


def refuse_filters(request: Request) -> None:
    """For a list that has none. Raises ValidationError."""
    StrictSerializer(data=filters_of(request)).is_valid(raise_exception=True)


@dataclass(frozen=True, slots=True)
class _Place:
    """Between two rows: it goes on behind that of this number, towards the start of the list or its
    end."""

    number: int
    backwards: bool

    def turned(self, descending: bool) -> "_Place":
        """The same place, for who walks the other way: the row of `number` comes first then."""
        return _Place(self.number + (-1 if descending else 1), not self.backwards)


def _looked_at(
    walks: Sequence[Walk[Row]], place: UUID | None, descending: bool
) -> tuple[QuerySet[Row], UUID | None]:
    """What this page may have, in order, and behind which row the walk goes on for the next."""
    beyond, up_to = ("id__lt", "id__gte") if descending else ("id__gt", "id__lte")
    walk, *others = walks
    walked = walk.ordered(descending=descending)
    if place is not None:
        walked = walked.filter(**{beyond: place})
    if not walk.rest:
        return walked, None
    last = next(iter(walked.values_list("id", flat=True)[LOOKED_AT - 1 : LOOKED_AT]), None)
    if last is None:
        return walked.filter(walk.rest), None
    if others:
        return _looked_at(others, place, descending)
    return walked.filter(walk.rest, **{up_to: last}), last


class _Cursors:
    """Places, signed, with a digest of what was asked."""

    def __init__(self, digest: str) -> None:
        self._digest = digest

    def made(self, place: _Place) -> str:
        way = _BACKWARDS if place.backwards else ""
        return _signer.sign(f"{place.number:032x}{self._digest}{way}")

    def read(self, text: str | None) -> _Place | None:
        if text is None:
            return None
        try:
            value = _signer.unsign(text)
        except BadSignature:
            value = ""
        position, digest, way = value[:32], value[32:48], value[48:]
        if digest != self._digest:
            raise ValidationError(
                {"cursor": "Give the cursor of a `next` or `prev` address, as it stands there."},
                code="invalid",
            )
        return _Place(int(position, 16), way == _BACKWARDS)


def _digest(request: Request, owner: int | None, order: str) -> str:
    asked = json.dumps([request.path, owner, order, sorted(filters_of(request).items())])
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= LARGEST_PAGE):  # noqa: PLR2004
        raise ValidationError(
            {"limit": f"Give a number from 1 to {LARGEST_PAGE}."}, code="out_of_range"
        )
    return int(text)


def _is_newest_first(order: str) -> bool:
    if order not in {NEWEST, OLDEST}:
        raise ValidationError({"order": f"Give {NEWEST} or {OLDEST}."}, code="invalid_choice")
    return order == NEWEST
