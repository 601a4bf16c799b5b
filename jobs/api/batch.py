"""Many jobs at once: POST jobs/batch, and cancelling them together."""

from contextlib import suppress
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ParseError, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import plan_of
from accounts.plans import Plan
from accounts.scopes import SUBMIT
from jobs.api.batch_answers import BatchCancelled, BatchImport, BatchReport
from jobs.api.batch_body import CSV, JSON, BatchCSV, BatchJSON, Body
from jobs.api.batch_import import JOB_TYPE
from jobs.api.batch_items import import_rows
from jobs.api.batch_report import Report
from jobs.api.fields import StrictSerializer
from jobs.api.idempotency import idempotent
from jobs.api.job_serializers import NewJobSerializer
from jobs.api.ownership import actor_of, counted_owner, has_batch, jobs_of, owner_of
from jobs.api.pages import filters_of
from jobs.models import new_id
from jobs.queue import batches
from jobs.queue.cancel import cancel, cancel_where
from jobs.queue.errors import AlreadyFinal
from jobs.queue.selection import Selection
from jobs.queue.submit import NewJob, submit

# What is answered at once, in about a second; the rest is for a worker.
SMALL_BYTES = 2_097_152
SMALL_LINES = 10_001
# Large bodies of one owner that are kept at a time.
MOST_WAITING = 4
RETRY_AFTER_SECONDS = 10


class BatchOptions(StrictSerializer):
    """The parameters of the address."""

    # The name is that of an attribute, which REST framework sets on every serializer.
    partial = serializers.BooleanField(default=False)  # type: ignore[assignment]


class JobBatches(APIView):
    """POST jobs/batch: a job of every item of a JSON array, or of every line of a CSV table."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012 - Django's own attribute
    parser_classes = (BatchJSON, BatchCSV)

    @extend_schema(
        parameters=[BatchOptions],
        request={JSON: NewJobSerializer(many=True), CSV: OpenApiTypes.BINARY},
        responses={201: BatchReport, 202: BatchImport},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Answer 201 with the report; 202 with the job that will make them of a large body; 400
        with the report when no job was made."""
        asked = BatchOptions(data=filters_of(request))
        asked.is_valid(raise_exception=True)
        partial = asked.validated_data["partial"]
        body = request.data
        if not isinstance(body, Body):
            raise ParseError("The body is empty.", "empty")
        with body.file:
            if body.size <= SMALL_BYTES and body.lines <= SMALL_LINES:
                with suppress(Large):
                    return _at_once(body, owner_of(request), plan_of(request.user), partial=partial)
            return _later(body, owner_of(request), partial=partial)


class Large(Exception):
    """There are more rows than the lines had promised."""


class TooManyBatches(Throttled):
    """Bodies of so many are waiting already."""

    default_code = "too_many_batches"


class CancelBatch(APIView):
    """POST jobs/batch/{id}/cancel: every job of the batch, also before they are made."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=None, responses=BatchCancelled)
    def post(self, request: Request, batch_id: str) -> Response:
        """Answer 200 with how many were cancelled, or told to stop."""
        batch = _id(batch_id)
        importing = jobs_of(request).filter(id=batch, job_type=JOB_TYPE).exists()
        if not importing and not has_batch(counted_owner(request), batch):
            raise NotFound("No batch has this id.")
        if importing:
            _cancel_import(batch, actor_of(request))
        # All of a batch belong to one owner.
        return Response(
            {
                "batch": batch,
                "cancelled": cancel_where(Selection(batch=batch), actor=actor_of(request)),
            }
        )


def _at_once(body: Body, owner_id: int | None, plan: Plan, *, partial: bool) -> Response:
    batch = new_id()
    report = import_rows(
        body.media_type,
        body.pieces(),
        batch,
        owner_id,
        plan,
        partial=partial,
        went_on=_check_small,
    )
    answer = {"batch": batch, **report.as_json(), "links": _links(batch)}
    return Response(answer, status=201, headers={"Location": _links(batch)["jobs"]})


def _check_small(report: Report) -> None:
    if report.total >= SMALL_LINES:
        raise Large


def _later(body: Body, owner_id: int | None, *, partial: bool) -> Response:
    if batches.waiting(owner_id) >= MOST_WAITING:
        text = f"{MOST_WAITING} large batches are waiting; send the next when one is done."
        raise TooManyBatches(RETRY_AFTER_SECONDS, text)
    parameters = {"media_type": body.media_type, "size": body.size, "partial": partial}
    with transaction.atomic():
        job = submit(NewJob(JOB_TYPE, parameters=parameters, owner_id=owner_id))
        batches.keep(job.id, body.pieces())
    location = reverse("api:job", args=[job.id])
    answer = {"batch": job.id, "links": {"job": location, **_links(job.id)}}
    return Response(answer, status=202, headers={"Location": location})


def _links(batch: UUID) -> dict[str, Any]:
    return {
        "jobs": f"{reverse('api:jobs')}?batch={batch}",
        "cancel": reverse("api:cancel_batch", args=[batch]),
    }


def _cancel_import(batch: UUID, actor: str) -> None:
    try:
        cancel(batch, actor=actor)
    except AlreadyFinal:
        return  # its jobs are there


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("No batch has this id.") from None
