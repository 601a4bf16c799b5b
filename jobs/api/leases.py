"""What remote workers call: lease jobs, tell of them, fetch sources, bring outputs."""

import base64
import binascii
import re
import socket
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException, NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import WORK
from jobs import storage
from jobs.api.files import FILE, KEY, file_answer
from jobs.api.ids import id_of
from jobs.api.lease_answers import LeasedJobs, Renewed, Settled
from jobs.api.lease_serializers import (
    CompleteSerializer,
    FailSerializer,
    LeaseSerializer,
    ProgressSerializer,
    WantedSerializer,
    addresses,
    lease_terms,
    leased_job,
)
from jobs.api.throttles import WorkThrottle
from jobs.remote import outputs, presence
from jobs.remote.errors import LeaseLost
from jobs.remote.keys import OUTPUT, SOURCE, Lease, read_key, read_lease
from jobs.remote.leasing import Wanted, lease
from jobs.remote.settling import attempt_of, complete, fail, held, release, renew

PROTOCOL = 1
LONGEST_WAIT_SECONDS = 30.0
_WAIT = re.compile(r"(?:^|[,;])\s*wait=(\d{1,6})\s*(?:$|[,;])", re.ASCII)
_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:$|,)")

_PREFER = OpenApiParameter(
    "Prefer", str, OpenApiParameter.HEADER, description="`wait=20`: up to 30 seconds for a job."
)
_DIGEST = OpenApiParameter(
    "Content-Digest", str, OpenApiParameter.HEADER, description="`sha-256=:...:` of the body."
)

S = TypeVar("S", bound=LeaseSerializer)


class Outdated(APIException):
    """The worker speaks another version of this protocol."""

    status_code = 409
    default_code = "upgrade_required"
    default_detail = f"This service speaks version {PROTOCOL} of the workers' protocol."


class LengthRequired(APIException):
    """An upload must say how long it is."""

    status_code = 411
    default_code = "length_required"
    default_detail = "Send the body with a Content-Length."


class LeaseJobs(APIView):
    """POST jobs/lease: jobs to work on, now or within the time of `Prefer: wait=N`."""

    http_method_names = ["post"]  # noqa: RUF012 - Django's own attribute
    scopes: ClassVar = {"POST": WORK}
    throttle_classes = (WorkThrottle,)

    @extend_schema(
        request=WantedSerializer, parameters=[_PREFER], responses={200: LeasedJobs, 204: None}
    )
    def post(self, request: Request) -> Response:
        """Answer 200 with jobs, or with what operators want of the worker; 204 when there are none;
        409 for another version of the protocol. `count` 0 is a goodbye."""
        asked = WantedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        body = asked.validated_data
        if body["version"] != PROTOCOL:
            raise Outdated
        user_id = _user_id(request)
        worker_id = presence.worker_id(user_id, body["name"])
        if not body["count"]:
            presence.gone(worker_id)
            return Response(status=204)
        wanted = Wanted(
            worker_id=worker_id,
            name=body["name"],
            version=f"remote {body['version']}",
            pool=body["pool"],
            types=body["types"],
            count=body["count"],
            owner_id=_only_jobs_of(request),
        )
        wait = _wait(request)
        offer = lease(wanted, wait, _hung_up(request))
        headers = {"Preference-Applied": f"wait={wait:g}"} if wait and offer.waited else {}
        if not (offer.attempts or any(offer.wishes)):
            return Response(status=204, headers=headers)
        jobs = [leased_job(one, worker_id, user_id) for one in offer.attempts]
        body = {"jobs": jobs, **lease_terms(), **offer.wishes._asdict()}
        return Response(body, headers=headers)


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
        not what was asked for, by which the attempt has failed."""
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


class LeasedSource(APIView):
    """GET jobs/{id}/lease/source?key=...: the source of a leased job."""

    http_method_names = ["get", "head"]  # noqa: RUF012
    public = True  # the key is the proof
    authentication_classes = ()

    @extend_schema(parameters=[KEY], responses=FILE)
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        """Answer 200 or 206; 403 for a bad key, 409 `lease_lost`, 404 where there is no source."""
        found = id_of(job_id)
        job = held(found, read_key(SOURCE, request.query_params.get("key", ""), found))
        try:
            path = storage.resolve_source(job.source_file)
        except storage.StorageError as error:
            raise NotFound(str(error)) from None
        return file_answer(request, path, f"{found}.source")


class LeasedOutput(APIView):
    """PUT jobs/{id}/lease/output?key=...: what a leased job made, as the body."""

    http_method_names = ["put"]  # noqa: RUF012
    public = True
    authentication_classes = ()

    @extend_schema(
        parameters=[KEY, _DIGEST],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={204: None},
    )
    def put(self, request: Request, job_id: str) -> Response:
        """Answer 204 when it is kept; it is published when the job is completed."""
        found = id_of(job_id)
        lease_number = read_key(OUTPUT, request.query_params.get("key", ""), found)
        attempt = attempt_of(held(found, lease_number))
        length, digest = _length(request), _digest(request)
        outputs.receive(attempt, request._request.read, length, digest)
        try:
            held(found, lease_number)
        except LeaseLost:
            outputs.drop(attempt)
            raise
        return Response(status=204)


def _about(request: Request, job_id: str, shape: type[S]) -> tuple[Lease, dict[str, Any]]:
    """The lease that a call is about, and the rest of its body."""
    asked = shape(data=request.data)
    asked.is_valid(raise_exception=True)
    body: dict[str, Any] = asked.validated_data
    return read_lease(body["lease"], id_of(job_id), _user_id(request)), body


def _user_id(request: Request) -> int:
    user: Any = request.user  # the scope is not for anybody
    return int(user.pk)


def _only_jobs_of(request: Request) -> int | None:
    """Whose jobs the worker may see: those of its own user, and everybody's only where that is one
    of the staff."""
    user: Any = request.user
    return None if user.is_staff else _user_id(request)


def _wait(request: Request) -> float:
    match = _WAIT.search(request.headers.get("Prefer", ""))
    return min(float(match[1]), LONGEST_WAIT_SECONDS) if match else 0.0


def _hung_up(request: Request) -> Callable[[], bool]:
    """Whether the client has closed the connection: what is claimed for it then would be lost."""
    connection: Any = request.META.get("gunicorn.socket")

    def hung_up() -> bool:
        try:
            return bool(connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
        except (BlockingIOError, ValueError):  # all is quiet; TLS cannot be looked at so
            return False
        except OSError:
            return True

    return hung_up if isinstance(connection, socket.socket) else lambda: False


def _length(request: Request) -> int:
    text = request.META.get("CONTENT_LENGTH") or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):  # noqa: PLR2004
        raise LengthRequired
    return int(text)


def _digest(request: Request) -> bytes:
    match = _SHA256.search(request.headers.get("Content-Digest", ""))
    try:
        if match:
            return base64.b64decode(match[1], validate=True)
    except binascii.Error:
        pass
    raise ParseError(
        "Give the body's SHA-256 as Content-Digest: sha-256=:base64:", "digest_required"
    )
