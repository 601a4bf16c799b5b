"""The jobs resource: submit, list, look, cancel, retry, replay, remove."""

from typing import Any, ClassVar

from django.db import transaction
from django.urls import reverse
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import plan_of
from accounts.scopes import READ, SUBMIT
from jobs.api.history_serializers import AttemptSerializer, EventSerializer
from jobs.api.job_serializers import JobSerializer, NewJobSerializer
from jobs.api.ownership import actor_of, job_of, jobs_of, owner_of
from jobs.api.pages import filters_of, page_of
from jobs.api.selection import SelectionSerializer
from jobs.models import Job
from jobs.queue.cancel import cancel
from jobs.queue.dead_letter import replay, retry
from jobs.queue.history import attempts, events
from jobs.queue.limits import spend
from jobs.queue.remove import remove
from jobs.states import FINAL, Status
from jobs.submission import take


class Jobs(APIView):
    """POST jobs: a new one. GET jobs: those that fit the filters, newest first."""

    scopes: ClassVar = {"POST": SUBMIT, "GET": READ}
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - Django's own attribute

    def post(self, request: Request) -> Response:
        """Answer 201 with the job, and its address as Location."""
        asked = NewJobSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        owner, plan = owner_of(request), plan_of(request.user)
        spend(owner, most=plan.jobs_a_minute)
        return _created(take(asked.submission(owner, plan)))

    def get(self, request: Request) -> Response:
        """Answer 200 with a page, and the address of the next one or null."""
        asked = SelectionSerializer(data=filters_of(request))
        asked.is_valid(raise_exception=True)
        found = jobs_of(request).select_related("metrics").filter(asked.selection().condition())
        jobs, following = page_of(request, found)
        return Response({"results": [JobSerializer(job).data for job in jobs], "next": following})


class OneJob(APIView):
    """GET jobs/{id}: how it stands. DELETE jobs/{id}: cancel it, or remove it when it is final."""

    scopes: ClassVar = {"GET": READ, "DELETE": SUBMIT}
    http_method_names = ["get", "head", "delete"]  # noqa: RUF012

    def get(self, request: Request, job_id: str) -> Response:
        """Answer 200, or 404 for an id that is unknown or not an id at all."""
        return Response(JobSerializer(job_of(request, job_id)).data)

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


class CancelJob(APIView):
    """POST jobs/{id}/cancel."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    def post(self, request: Request, job_id: str) -> Response:
        """Answer 200 when it is CANCELLED, 202 when its worker was told; 409 for a final job."""
        return _cancelled(request, job_of(request, job_id))


class RetryJob(APIView):
    """POST jobs/{id}/retry: the same job again, after it FAILED or was CANCELLED."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    def post(self, request: Request, job_id: str) -> Response:
        """Answer 200 with the job, QUEUED; 409 in any other state."""
        retry(job_of(request, job_id).id, actor=actor_of(request))
        return Response(JobSerializer(job_of(request, job_id)).data)


class ReplayJob(APIView):
    """POST jobs/{id}/replay: a new job like one that is final."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    def post(self, request: Request, job_id: str) -> Response:
        """Answer 201 with the new job; 409 while the old one is not final."""
        old = job_of(request, job_id)
        with transaction.atomic():
            job = replay(old.id, actor=actor_of(request))
            spend(owner_of(request), most=plan_of(request.user).jobs_a_minute)
        return _created(job)


class JobEvents(APIView):
    """GET jobs/{id}/events: what happened to it, in order, and every attempt."""

    scopes: ClassVar = {"GET": READ}
    http_method_names = ["get", "head"]  # noqa: RUF012

    def get(self, request: Request, job_id: str) -> Response:
        """Answer 200. Tracebacks are for operators and not shown."""
        job = job_of(request, job_id)
        return Response(
            {
                "events": EventSerializer(events(job), many=True).data,
                "attempts": AttemptSerializer(attempts(job), many=True).data,
            }
        )


def _created(job: Job) -> Response:
    location = reverse("api:job", args=[job.id])
    return Response(JobSerializer(job).data, status=201, headers={"Location": location})


def _cancelled(request: Request, job: Job) -> Response:
    status = cancel(job.id, actor=actor_of(request))
    body: dict[str, Any] = dict(JobSerializer(job_of(request, str(job.id))).data)
    return Response(body, status=200 if status == Status.CANCELLED else 202)
