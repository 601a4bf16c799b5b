"""Lists a page at a time, by key: each page costs the same, however many rows there are.

The walk goes along an index. What the index does not answer is looked for among so many rows of it
a page, so a page may have fewer jobs than asked for, even none, and still be followed by another.
"""

import hashlib
import json
from collections.abc import Sequence
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

from jobs.api.walks import Walk

Row = TypeVar("Row", bound=Model)
PAGE = 50
LARGEST_PAGE = 200
# Rows that a page looks at: some milliseconds.
LOOKED_AT = 3_000
NEWEST, OLDEST = "newest", "oldest"

_PARAMETERS = ("cursor", "limit", "order")
_BACKWARDS = "b"
_signer = Signer(salt="jobs.api.pages")
PAGE_PARAMETERS = [
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    OpenApiParameter("order", str, enum=[NEWEST, OLDEST]),
    OpenApiParameter(
        "cursor",
        {"type": "string", "pattern": r"^[0-9a-f]{48}b?:[A-Za-z0-9_-]{43}$"},
        description="From the address that `next` or `prev` is.",
    ),
]


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """rows: in order. following, preceding: the addresses of the pages beside it, or null."""

    rows: list[Row]
    following: str | None
    preceding: str | None

    def response(self, results: list[Any]) -> Response:
        """The answer, with RFC 8288's Link beside the body's `next` and `prev`."""
        addresses = {"next": self.following, "prev": self.preceding}
        response = Response({"results": results, **addresses})
        links = [f'<{address}>; rel="{name}"' for name, address in addresses.items() if address]
        if links:
            response["Link"] = ", ".join(links)
        return response


def page_of(request: Request, walks: Sequence[Walk[Row]], owner: int | None) -> Page[Row]:
    """The page that `cursor`, `limit` and `order` ask for.

    walks: ways to the same rows. The first that comes to its end among LOOKED_AT rows is taken,
    else the last. owner: who asks; a cursor serves nobody else, and no other filters.
    Called inside `by_walks`. Raises ValidationError.
    """
    limit = _limit(request.query_params.get("limit", str(PAGE)))
    newest_first = _is_newest_first(request.query_params.get("order", NEWEST))
    cursors = _Cursors(_digest(request, owner))
    place = cursors.read(request.query_params.get("cursor"))
    backwards = place is not None and place.backwards
    descending = newest_first != backwards
    found, last_looked_at = _looked_at(walks, place, descending)
    rows = list(found[: limit + 1])
    last = rows[limit - 1].pk if len(rows) > limit else last_looked_at
    onward = None if last is None else _address(request, cursors.made(_Place(last, backwards)))
    back = None if place is None else _address(request, cursors.made(place.turned(descending)))
    if backwards:
        return Page(rows[:limit][::-1], following=back, preceding=onward)
    return Page(rows[:limit], following=onward, preceding=back)


def filters_of(request: Request) -> dict[str, Any]:
    """The other parameters. Raises ValidationError when one is given twice."""
    for name, values in request.query_params.lists():
        if len(values) > 1:
            raise ValidationError({name: "Give it once."}, code="repeated")
    return {name: value for name, value in request.query_params.items() if name not in _PARAMETERS}


@dataclass(frozen=True, slots=True)
class _Place:
    """Between two rows: the walk goes on behind `id`, towards the start of the list or its end."""

    id: UUID
    backwards: bool

    def turned(self, descending: bool) -> "_Place":
        """The same place, for who walks the other way: the row of `id` comes first then."""
        shifted = self.id.int - 1 if descending else self.id.int + 1
        return _Place(UUID(int=shifted), not self.backwards)


def _looked_at(
    walks: Sequence[Walk[Row]], place: _Place | None, descending: bool
) -> tuple[QuerySet[Row], UUID | None]:
    """What this page may have, in order, and behind which row the walk goes on for the next."""
    beyond, up_to = ("id__lt", "id__gte") if descending else ("id__gt", "id__lte")
    walk, *others = walks
    walked = walk.ordered(descending=descending)
    if place is not None:
        walked = walked.filter(**{beyond: place.id})
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
        return _signer.sign(f"{place.id.hex}{self._digest}{way}")

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
        return _Place(UUID(position), way == _BACKWARDS)


def _digest(request: Request, owner: int | None) -> str:
    order = request.query_params.get("order", NEWEST)
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


def _address(request: Request, cursor: str) -> str:
    parameters = {**request.query_params.dict(), "cursor": cursor}
    return f"{request.path}?{urlencode(parameters)}"
