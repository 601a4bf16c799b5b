"""The jobs resource: submit, list, look, cancel, retry, replay, remove."""

from typing import ClassVar

from django.db import transaction
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import plan_of
from accounts.scopes import READ, SUBMIT
from jobs.api.answers import HistoryPage, JobPage
from jobs.api.etag import answer_if_changed
from jobs.api.history_serializers import AttemptSerializer, EventSerializer
from jobs.api.idempotency import idempotent
from jobs.api.job_serializers import JobSerializer, NewJobSerializer, shown, submission_of
from jobs.api.metadata import split_filters
from jobs.api.ownership import actor_of, counted_owner, job_of, owner_of
from jobs.api.pages import (
    OLDEST,
    PAGE_PARAMETERS,
    Asked,
    filters_of,
    page_of,
    page_parameters,
    refuse_filters,
)
from jobs.api.selection import SelectionSerializer
from jobs.api.walks import by_walks
from jobs.models import Job
from jobs.processors.admission import is_internal
from jobs.queue.cancel import cancel
from jobs.queue.dead_letter import replay, retry
from jobs.queue.history import history
from jobs.queue.history_part import Part
from jobs.queue.limits import spend
from jobs.queue.remove import remove
from jobs.states import FINAL, Status
from jobs.submission import take


class Jobs(APIView):
    """POST jobs: a new one. GET jobs: those that fit the filters, newest first."""

    scopes: ClassVar = {"POST": SUBMIT, "GET": READ}
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(request=NewJobSerializer, responses={201: JobSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Answer 201 with the job, and its address as Location."""
        owner, plan = owner_of(request), plan_of(request.user)
        submission = submission_of(request.data, owner, plan)
        spend(owner, most=plan.jobs_a_minute)
        return _created(take(submission))

    @extend_schema(parameters=[SelectionSerializer, *PAGE_PARAMETERS], responses=JobPage)
    def get(self, request: Request) -> Response:
        """Answer 200 with a page, and the address of the next one or null; also as Link."""
        filters, of_metadata = split_filters(filters_of(request))
        asked = SelectionSerializer(data=filters)
        asked.is_valid(raise_exception=True)
        with by_walks():
            walks = asked.walks(counted_owner(request), of_metadata)
            page = page_of(request, walks, owner_of(request))
        return page.response(results=[shown(job) for job in page.rows])


class OneJob(APIView):
    """GET jobs/{id}: how it stands. DELETE jobs/{id}: cancel it, or remove it when it is final."""

    scopes: ClassVar = {"GET": READ, "DELETE": SUBMIT}
    http_method_names = ["get", "head", "delete"]  # noqa: RUF012

    @extend_schema(responses=JobSerializer)
    def get(self, request: Request, job_id: str) -> Response:
        """Answer 200, 304 to who has it, or 404 for an id that is unknown or not an id at all."""
        return answer_if_changed(request, job_id, shown)

    @extend_schema(responses={200: JobSerializer, 202: JobSerializer, 204: None})
    def delete(self, request: Request, job_id: str) -> Response:
        """Answer like cancel for a job that is not final; 204 for a final one, which is gone with
        its outputs."""
        job = job_of(request, job_id)
        if job.status not in FINAL:
            return _cancelled(request, job)
        if not remove([job.id]):
            raise Busy
        return Response(status=204)


class Busy(APIException):
    """Somebody else works on the row this very moment."""

    status_code = 409
    default_code = "busy"
    default_detail = "Somebody else is changing this job now. Try again."


class Internal(APIException):
    """What it was made of is gone."""

    status_code = 409
    default_code = "not_replayable"
    default_detail = "The service itself makes jobs of this type."


class CancelJob(APIView):
    """POST jobs/{id}/cancel."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=None, responses={200: JobSerializer, 202: JobSerializer})
    def post(self, request: Request, job_id: str) -> Response:
        """Answer 200 when it is CANCELLED, 202 when its worker was told; 409 for a final job."""
        return _cancelled(request, job_of(request, job_id))


class RetryJob(APIView):
    """POST jobs/{id}/retry: the same job again, after it FAILED or was CANCELLED."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=None, responses=JobSerializer)
    def post(self, request: Request, job_id: str) -> Response:
        """Answer 200 with the job, QUEUED; 409 in any other state."""
        old = job_of(request, job_id)
        with transaction.atomic():
            retry(old.id, actor=actor_of(request))
            spend(owner_of(request), most=plan_of(request.user).jobs_a_minute)
        return Response(shown(job_of(request, job_id)))


class ReplayJob(APIView):
    """POST jobs/{id}/replay: a new job like one that is final."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=None, responses={201: JobSerializer})
    @idempotent
    def post(self, request: Request, job_id: str) -> Response:
        """Answer 201 with the new job; 409 while the old one is not final."""
        old = job_of(request, job_id)
        if is_internal(old.job_type):
            raise Internal
        with transaction.atomic():
            job = replay(old.id, actor=actor_of(request))
            spend(owner_of(request), most=plan_of(request.user).jobs_a_minute)
        return _created(job)


class JobEvents(APIView):
    """GET jobs/{id}/events: what happened to it, in order, and the attempts."""

    scopes: ClassVar = {"GET": READ}
    http_method_names = ["get", "head"]  # noqa: RUF012

    @extend_schema(parameters=page_parameters(OLDEST), responses=HistoryPage)
    def get(self, request: Request, job_id: str) -> Response:
        """Answer 200 with a page of the events, and the attempts that began on it; also as Link.
        Tracebacks are for operators and not shown."""
        refuse_filters(request)
        asked = Asked(request, owner_of(request), OLDEST)
        with by_walks():
            part = Part(asked.limit + 1, asked.place, asked.descending)
            found = history(job_of(request, job_id), part)
        page = asked.page(found, lambda told: told.place)
        begun = [told.begun for told in page.rows if told.begun]
        return page.response(
            events=[EventSerializer(told.event).data for told in page.rows],
            attempts=[AttemptSerializer(one).data for one in begun],
        )


def _created(job: Job) -> Response:
    location = reverse("api:job", args=[job.id])
    return Response(shown(job), status=201, headers={"Location": location})


def _cancelled(request: Request, job: Job) -> Response:
    status = cancel(job.id, actor=actor_of(request))
    body = shown(job_of(request, str(job.id)))
    return Response(body, status=200 if status == Status.CANCELLED else 202)
