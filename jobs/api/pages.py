"""Lists a page at a time, by key: each page costs the same, however many rows there are.

The walk goes along an index. What the index does not answer is looked for among so many rows of it
a page, so a page may have fewer jobs than asked for, even none, and still be followed by another.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.models import Job

PAGE = 50
LARGEST_PAGE = 200
# Rows that a page looks at: some milliseconds.
LOOKED_AT = 5_000
NEWEST, OLDEST = "newest", "oldest"

_PARAMETERS = ("cursor", "limit", "order")
_signer = Signer(salt="jobs.api.pages")
PAGE_PARAMETERS = [
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    OpenApiParameter("order", str, enum=[NEWEST, OLDEST]),
    OpenApiParameter("cursor", str, description="From the address that `next` is."),
]


@dataclass(frozen=True, slots=True)
class Page:
    """jobs: in order. following: the address of the next page, or null."""

    jobs: list[Job]
    following: str | None

    def response(self, results: list[Any]) -> Response:
        """The answer, with RFC 8288's Link beside the body's `next`."""
        response = Response({"results": results, "next": self.following})
        if self.following is not None:
            response["Link"] = f'<{self.following}>; rel="next"'
        return response


def page_of(request: Request, walked: QuerySet[Job], condition: Q, owner: int | None) -> Page:
    """The page that `cursor`, `limit` and `order` ask for.

    walked: the jobs that an index gives in the order of their ids. condition: what else must hold.
    owner: who asks; a cursor serves nobody else, and no other filters.
    Raises ValidationError.
    """
    limit = _limit(request.query_params.get("limit", str(PAGE)))
    newest_first = _is_newest_first(request.query_params.get("order", NEWEST))
    cursor = _Cursor(_digest(request, owner))
    walked = walked.order_by("-id" if newest_first else "id")
    beyond, up_to = ("id__lt", "id__gte") if newest_first else ("id__gt", "id__lte")
    if "cursor" in request.query_params:
        walked = walked.filter(**{beyond: cursor.read(request.query_params["cursor"])})
    found, last_looked_at = walked, None
    if condition:
        found = found.filter(condition)
        last_looked_at = next(
            iter(walked.values_list("id", flat=True)[LOOKED_AT - 1 : LOOKED_AT]), None
        )
        if last_looked_at is not None:
            found = found.filter(**{up_to: last_looked_at})
    jobs = list(found.select_related("metrics")[: limit + 1])
    last = jobs[limit - 1].id if len(jobs) > limit else last_looked_at
    return Page(jobs[:limit], None if last is None else _next(request, cursor.made(last)))


def filters_of(request: Request) -> dict[str, Any]:
    """The other parameters. Raises ValidationError when one is given twice."""
    for name, values in request.query_params.lists():
        if len(values) > 1:
            raise ValidationError({name: "Give it once."}, code="repeated")
    return {name: value for name, value in request.query_params.items() if name not in _PARAMETERS}


class _Cursor:
    """The id of the last row seen, signed, with a digest of what was asked."""

    def __init__(self, digest: str) -> None:
        self._digest = digest

    def made(self, last: UUID) -> str:
        return _signer.sign(f"{last.hex}{self._digest}")

    def read(self, text: str) -> UUID:
        try:
            value = _signer.unsign(text)
        except BadSignature:
            value = ""
        position, digest = value[:32], value[32:]
        if digest != self._digest:
            raise ValidationError(
                {"cursor": "Give the cursor of a `next` address, with the same filters and order."},
                code="invalid",
            )
        return UUID(position)


def _digest(request: Request, owner: int | None) -> str:
    order = request.query_params.get("order", NEWEST)
    asked = json.dumps([owner, order, sorted(filters_of(request).items())])
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


def _next(request: Request, cursor: str) -> str:
    parameters = {**request.query_params.dict(), "cursor": cursor}
    return f"{request.path}?{urlencode(parameters)}"
