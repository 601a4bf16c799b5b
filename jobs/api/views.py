"""The documented endpoints: read the request, ask the room that knows, shape the answer."""

from dataclasses import asdict
from typing import ClassVar

from django.http import HttpResponse
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import plan_of
from accounts.scopes import READ, SUBMIT
from jobs.api.document import problem
from jobs.api.ownership import job_of, owner_of
from jobs.api.serializers import JobStatusSerializer, SubmissionSerializer, SubmittedSerializer
from jobs.queue.health import DatabaseDown, health
from jobs.queue.limits import spend
from jobs.submission import Submission, take


class SubmitJob(APIView):
    """POST submit_job: a new job, in the queue when the answer comes."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012 - Django's own attribute

    def post(self, request: Request) -> Response:
        """Answer 201 with the job, and its status address as Location."""
        submission = SubmissionSerializer(data=request.data)
        submission.is_valid(raise_exception=True)
        owner, plan = owner_of(request), plan_of(request.user)
        spend(owner, most=plan.jobs_a_minute)
        job = take(Submission(**submission.validated_data, owner_id=owner, plan=plan))
        location = reverse("api:job_status", args=[job.id])
        return Response(SubmittedSerializer(job).data, status=201, headers={"Location": location})


class JobStatus(APIView):
    """GET job/{id}/status: where a job stands and, once it is COMPLETED, what it cost."""

    scopes: ClassVar = {"GET": READ}
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own attribute

    def get(self, request: Request, job_id: str) -> Response:
        """Answer 200, or 404 for an id that is unknown or not an id at all."""
        return Response(JobStatusSerializer(job_of(request, job_id)).data)


class ServiceHealth(APIView):
    """GET jobs/health: whether jobs can be taken and will be worked on."""

    public = True
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own attribute

    def get(self, request: Request) -> HttpResponse:
        """Answer 200, `degraded` while a pool has no live worker; 503 without the database."""
        try:
            found = health()
        except DatabaseDown:
            return problem(
                request,
                503,
                "database_down",
                "The database cannot be reached or does not answer in time.",
                database={"status": "down"},
            )
        return Response(
            {
                "status": "degraded" if found.degraded else "ok",
                "database": {"status": "up", "answered_in_ms": found.answered_in_ms},
                "workers": {pool: asdict(crew) for pool, crew in found.crews.items()},
                "wakeup": found.wakeup,
            }
        )
