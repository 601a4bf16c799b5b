"""Whether a job has changed since a client read it, without reading the job again.

PostgreSQL stamps every version of a row with the transaction that wrote it (xmin), so that the tag
cannot forget a column; the row of metrics is written in the transaction that completes the job.
The seconds that are left are no part of the weak tag: an estimate that runs with the clock, made of
the progress that the tag covers.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db.models import TextField
from django.db.models.expressions import RawSQL
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.ownership import jobs_of
from jobs.models import Job

_VERSION = RawSQL("jobs_job.xmin::text", (), output_field=TextField())
_NARROW = ("id", "status", "attempt")


def answer_if_changed(
    request: Request, job_id: str, shown: Callable[[Job], dict[str, Any]]
) -> Response:
    """200 with the job as `shown`, or 304 when the client has this version. Raises NotFound.

    Whether the job is the client's to see is asked in the query that reads the version.
    """
    if "If-None-Match" in request.headers:
        tag = _tag(_find(request, job_id, narrow=True))
        unchanged = get_conditional_response(request._request, etag=tag)
        if unchanged is not None and unchanged.status_code == 304:  # noqa: PLR2004
            return Response(status=304, headers={"ETag": tag})
    job = _find(request, job_id)
    return Response(shown(job), headers={"ETag": _tag(job)})


def _find(request: Request, job_id: str, *, narrow: bool = False) -> Any:
    jobs = jobs_of(request).annotate(version=_VERSION)
    jobs = jobs.only(*_NARROW) if narrow else jobs.select_related("metrics")
    try:
        return jobs.get(id=UUID(job_id))
    except (Job.DoesNotExist, ValueError):
        raise NotFound("No job has this id.") from None


def _tag(job: Any) -> str:
    """A weak one: a proxy may compress the answer."""
    parts = (job.id, job.version, job.status, job.attempt)
    return f"W/{quote_etag(sha256(repr(parts).encode()).hexdigest()[:32])}"
