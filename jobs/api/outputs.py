"""What jobs made, for their owners and for whom these give a link."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import READ
from jobs import storage
from jobs.api.answers import Link
from jobs.api.fields import Moment
from jobs.api.files import FILE, KEY, file_answer
from jobs.api.ids import id_of
from jobs.api.ownership import job_of
from jobs.models import Job
from jobs.remote.keys import DOWNLOAD, key, read_key
from jobs.states import Status


class NotCompleted(APIException):
    """There is no output yet, or there never will be one."""

    status_code = 409
    default_code = "not_completed"


class JobOutput(APIView):
    """GET jobs/{id}/output: the file that it made."""

    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own attribute
    scopes: ClassVar = {"GET": READ}

    @extend_schema(responses=FILE)
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        """Answer 200 or 206; 409 while it is not COMPLETED, 410 when the file is gone, 404 where
        the job makes none."""
        return _answer(request, job_of(request, job_id))


class OutputLink(APIView):
    """POST jobs/{id}/output/link: an address of the output that needs no token, for a while."""

    http_method_names = ["post"]  # noqa: RUF012
    scopes: ClassVar = {"POST": READ}

    @extend_schema(request=None, responses=Link)
    def post(self, request: Request, job_id: str) -> Response:
        """Answer 200 with the address and when it expires; else as the output itself."""
        job = job_of(request, job_id)
        _file_of(job)
        address = reverse("api:shared_output", args=[job.id])
        query = urlencode({"key": key(DOWNLOAD, job.id, job.lease or 0)})
        expires = timezone.now() + timedelta(seconds=settings.OUTPUT_LINK_SECONDS)
        return Response(
            {"url": f"{address}?{query}", "expires_at": Moment().to_representation(expires)}
        )


class SharedOutput(APIView):
    """GET jobs/{id}/output/shared?key=...: the output, for whoever has the link."""

    http_method_names = ["get", "head"]  # noqa: RUF012
    public = True  # the key is the proof
    authentication_classes = ()

    @extend_schema(parameters=[KEY], responses=FILE)
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        """Answer like the output; 403 for a key that is wrong or has expired."""
        found = id_of(job_id)
        read_key(DOWNLOAD, request.query_params.get("key", ""), found, settings.OUTPUT_LINK_SECONDS)
        job = Job.objects.filter(id=found).first()
        if job is None:
            raise NotFound("No job has this id.")
        return _answer(request, job)


def _answer(request: Request, job: Job) -> HttpResponseBase:
    path = _file_of(job)
    return file_answer(request, path, f"{job.id}{path.suffix}")


def _file_of(job: Job) -> Path:
    """Raises NotCompleted, NotFound, OutputGone."""
    if job.status != Status.COMPLETED:
        raise NotCompleted(f"The job is {job.status}; only a COMPLETED job has an output.")
    name = (job.result or {}).get("output")
    if not isinstance(name, str):
        raise NotFound("This job makes no file.")
    return storage.find_output(job.id, name)
