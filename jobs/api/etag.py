"""Whether a job has changed since a client read it, without reading the job again.

PostgreSQL stamps every version of a row with the transaction that wrote it (xmin), so that the tag
cannot forget a column; the row of metrics is written in the transaction that completes the job.
The seconds that are left are no part of the weak tag: an estimate that runs with the clock, made of
the progress that the tag covers.
"""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db.models import TextField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import is_admin
from jobs.api.ownership import jobs_of, owner_of
from jobs.models import Job
from jobs.statement import Statement

UNKNOWN = "No job has this id."

_VERSION = RawSQL("jobs_job.xmin::text", (), output_field=TextField())
# Whose jobs: as jobs_of has it.
_NARROW = Statement(
    """
SELECT json_build_array(xmin::text, status, attempt)
FROM jobs_job WHERE id = $1::uuid AND ($2::boolean OR owner_id IS NOT DISTINCT FROM $3::bigint)
"""
)


def answer_if_changed(
    request: Request, job_id: str, shown: Callable[[Job], dict[str, Any]]
) -> Response:
    """200 with the job as `shown`, or 304 when the client has this version. Raises NotFound.

    Whether the job is the client's to see is asked in the query that reads the version.
    """
    if "If-None-Match" in request.headers:
        tag = tag_of(request, job_id)
        if is_unchanged(request._request, tag):
            return Response(status=304, headers={"ETag": tag})
    job = _find(request, job_id)
    return Response(
        shown(job), headers={"ETag": _tag(job.id, job.version, job.status, job.attempt)}
    )


def is_unchanged(request: HttpRequest, tag: str) -> bool:
    """Whether the client says that it has this version."""
    answer = get_conditional_response(request, etag=tag)
    return answer is not None and answer.status_code == 304  # noqa: PLR2004


def tag_of(request: Request, job_id: str) -> str:
    """Read without the row's wide columns, and without composing a query. Raises NotFound, also for
    a job that is not this request's to see."""
    owner = owner_of(request)
    found = _NARROW.run(
        str(_uuid(job_id)), str(is_admin(request)), None if owner is None else str(owner)
    )
    if not found:
        raise NotFound(UNKNOWN)
    return _tag(_uuid(job_id), *json.loads(found))


def _find(request: Request, job_id: str) -> Any:
    jobs = jobs_of(request).annotate(version=_VERSION).select_related("metrics")
    try:
        return jobs.get(id=_uuid(job_id))
    except Job.DoesNotExist:
        raise NotFound(UNKNOWN) from None


def _uuid(job_id: str) -> UUID:
    try:
        return UUID(job_id)
    except ValueError:
        raise NotFound(UNKNOWN) from None


def _tag(job_id: UUID, *version: object) -> str:
    """A weak one: a proxy may compress the answer."""
    return f"W/{quote_etag(sha256(repr((job_id, *version)).encode()).hexdigest()[:32])}"
