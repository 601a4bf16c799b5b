"""What remote workers tell of a job that they have: progress, and what it came to."""

from typing import Any, ClassVar, TypeVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import WORK
from jobs.api.ids import id_of
from jobs.api.lease_answers import Renewed, Settled
from jobs.api.lease_serializers import (
    CompleteSerializer,
    FailSerializer,
    LeaseSerializer,
    ProgressSerializer,
    addresses,
    lease_terms,
)
from jobs.api.ownership import user_id_of
from jobs.api.throttles import WorkThrottle
from jobs.remote.keys import Lease, read_lease
from jobs.remote.settling import complete, fail, release, renew

S = TypeVar("S", bound=LeaseSerializer)


class JobProgress(APIView):
    """POST jobs/{id}/progress: renews the lease, and tells how far the job is."""

    http_method_names = ["post"]  # noqa: RUF012
    scopes: ClassVar = {"POST": WORK}
    throttle_classes = (WorkThrottle,)

    @extend_schema(request=ProgressSerializer, responses=Renewed)
    def post(self, request: Request, job_id: str) -> Response:
        """Answer 200 with the new terms, and whether to stop; 409 `lease_lost`."""
        held_by, body = _about(request, job_id, ProgressSerializer)
        cancelled, drain = renew(held_by, body["progress"], body["message"])
        told = {"cancel_requested": cancelled, "drain": drain}
        address = addresses(held_by.job_id, held_by.number)
        return Response({**lease_terms(), **told, "addresses": address})


class CompleteJob(APIView):
    """POST jobs/{id}/complete: the work is done."""

    http_method_names = ["post"]  # noqa: RUF012
    scopes: ClassVar = {"POST": WORK}
    throttle_classes = (WorkThrottle,)

    @extend_schema(request=CompleteSerializer, responses=Settled)
    def post(self, request: Request, job_id: str) -> Response:
        """Answer 200 with the job's status; 409 `lease_lost`; 422 `bad_output` when the output is
        not what was asked for, by which the attempt has failed, or `malware_found`, by which the
        job has; 503 `scan_unavailable`: try again."""
        held_by, body = _about(request, job_id, CompleteSerializer)
        return Response({"status": complete(held_by, body["result"], body["metrics"])})


class FailJob(APIView):
    """POST jobs/{id}/fail: the attempt failed."""

    http_method_names = ["post"]  # noqa: RUF012
    scopes: ClassVar = {"POST": WORK}
    throttle_classes = (WorkThrottle,)

    @extend_schema(request=FailSerializer, responses=Settled)
    def post(self, request: Request, job_id: str) -> Response:
        """Answer 200 with the job's status; 409 `lease_lost`."""
        held_by, body = _about(request, job_id, FailSerializer)
        status = fail(
            held_by,
            body["code"],
            body["message"],
            retryable=body["retryable"],
            after=body["retry_after"],
        )
        return Response({"status": status})


class ReleaseJob(APIView):
    """POST jobs/{id}/release: the worker lets go of the job, at no cost of an attempt."""

    http_method_names = ["post"]  # noqa: RUF012
    scopes: ClassVar = {"POST": WORK}
    throttle_classes = (WorkThrottle,)

    @extend_schema(request=LeaseSerializer, responses=Settled)
    def post(self, request: Request, job_id: str) -> Response:
        """Answer 200 with the job's status; 409 `lease_lost`."""
        held_by, _ = _about(request, job_id, LeaseSerializer)
        return Response({"status": release(held_by)})


def _about(request: Request, job_id: str, shape: type[S]) -> tuple[Lease, dict[str, Any]]:
    """The lease that a call is about, and the rest of its body."""
    asked = shape(data=request.data)
    asked.is_valid(raise_exception=True)
    body: dict[str, Any] = asked.validated_data
    return read_lease(body["lease"], id_of(job_id), user_id_of(request)), body
