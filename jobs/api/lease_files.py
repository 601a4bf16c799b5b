"""The files of a job that a remote worker has: its source, and what was made of it."""

import base64
import binascii
import re

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException, NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import storage
from jobs.api.files import FILE, KEY, file_answer
from jobs.api.ids import id_of
from jobs.remote import outputs
from jobs.remote.errors import LeaseLost
from jobs.remote.keys import OUTPUT, SOURCE, read_key
from jobs.remote.settling import attempt_of, held
from jobs.remote.sources import source_of

_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:$|,)")

_DIGEST = OpenApiParameter(
    "Content-Digest", str, OpenApiParameter.HEADER, description="`sha-256=:...:` of the body."
)


class LengthRequired(APIException):
    """An upload must say how long it is."""

    status_code = 411
    default_code = "length_required"
    default_detail = "Send the body with a Content-Length."


class LeasedSource(APIView):
    """GET jobs/{id}/lease/source?key=...: the source of a leased job."""

    http_method_names = ["get", "head"]  # noqa: RUF012
    public = True  # the key is the proof
    authentication_classes = ()

    @extend_schema(parameters=[KEY], responses=FILE)
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        """Answer 200 or 206; 403 for a bad key, 409 `lease_lost`, 404 where there is no source, 422
        `malware_found`, by which the job has failed, 503 `scan_unavailable`."""
        found = id_of(job_id)
        lease_number = read_key(SOURCE, request.query_params.get("key", ""), found)
        try:
            path = source_of(found, lease_number)
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
