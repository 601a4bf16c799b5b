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

from django.db.models import TextField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Asker, is_admin
from jobs.api.ids import UNKNOWN, id_of
from jobs.api.ownership import jobs_of, owner_of
from jobs.models import Job
from jobs.statement import Statement

_VERSION = RawSQL("jobs_job.xmin::text", (), output_field=TextField())
# Without the wide columns, and whose it is.
NARROW = """
(SELECT json_build_array(owner_id, id, xmin::text, status, attempt)
 FROM jobs_job WHERE id = {job_id}::uuid)
"""
_NARROW = Statement(f"SELECT {NARROW.format(job_id='$1')}")


def answer_if_changed(
    request: Request, job_id: str, shown: Callable[[Job], dict[str, Any]]
) -> Response:
    """200 with the job as `shown`, or 304 when the client has this version. Raises NotFound."""
    if "If-None-Match" in request.headers:
        tag = tag_of(request, json.loads(_NARROW.run(str(id_of(job_id))) or "null"))
        if is_unchanged(request._request, tag):
            return Response(status=304, headers={"ETag": tag})
    job = _find(request, job_id)
    return Response(
        shown(job), headers={"ETag": _tag(str(job.id), job.version, job.status, job.attempt)}
    )


def is_unchanged(request: HttpRequest, tag: str) -> bool:
    """Whether the client says that it has this version."""
    answer = get_conditional_response(request, etag=tag)
    return answer is not None and answer.status_code == 304  # noqa: PLR2004


def tag_of(request: Asker, narrow: list[Any] | None) -> str:
    """Of what NARROW reads. Raises NotFound, also for a job that is not this request's to see: the
    rule of jobs_of."""
    if narrow is None:
        raise NotFound(UNKNOWN)
    owner_id, job_id, *version = narrow
    if not (owner_id == owner_of(request) or is_admin(request)):
        raise NotFound(UNKNOWN)
    return _tag(job_id, *version)


def _find(request: Request, job_id: str) -> Any:
    jobs = jobs_of(request).annotate(version=_VERSION).select_related("metrics")
    try:
        return jobs.get(id=id_of(job_id))
    except Job.DoesNotExist:
        raise NotFound(UNKNOWN) from None


def _tag(job_id: str, *version: object) -> str:
    """A weak one: a proxy may compress the answer."""
    return f"W/{quote_etag(sha256(repr((job_id, *version)).encode()).hexdigest()[:32])}"
