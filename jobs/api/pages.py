"""Lists a page at a time, by key: each page costs the same, however many came before it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from jobs.models import Job

PAGE = 50
LARGEST_PAGE = 200
PAGE_PARAMETERS = [
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    OpenApiParameter("cursor", str, description="From the address that `next` is."),
]


def page_of(request: Request, found: QuerySet[Job]) -> tuple[list[Job], str | None]:
    """The page that `cursor` and `limit` ask for, newest first, and the address of the next one.

    The cursor is the id of the last job seen. Raises ValidationError.
    """
    limit = _limit(request.query_params.get("limit", str(PAGE)))
    cursor = request.query_params.get("cursor")
    if cursor is not None:
        found = found.filter(id__lt=_position(cursor))
    jobs = list(found.order_by("-id")[: limit + 1])
    if len(jobs) <= limit:
        return jobs, None
    return jobs[:limit], _next(request, jobs[limit - 1])


def filters_of(request: Request) -> dict[str, Any]:
    """The other parameters. Raises ValidationError when one is given twice."""
    for name, values in request.query_params.lists():
        if len(values) > 1:
            raise ValidationError({name: "Give it once."}, code="repeated")
    return {
        name: value
        for name, value in request.query_params.items()
        if name not in {"cursor", "limit"}
    }


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= LARGEST_PAGE):  # noqa: PLR2004
        raise ValidationError(
            {"limit": f"Give a number from 1 to {LARGEST_PAGE}."}, code="out_of_range"
        )
    return int(text)


def _position(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValidationError(
            {"cursor": "Give the cursor of a `next` address."}, code="invalid"
        ) from None


def _next(request: Request, last: Job) -> str:
    parameters = request.query_params.copy()
    parameters["cursor"] = str(last.id)
    return f"{request.path}?{parameters.urlencode()}"
