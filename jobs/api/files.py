"""Files of the media store as answers: whole or in part, and never as a page of this origin."""

import mimetypes
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from jobs.api.document import problem
from jobs.api.ranges import Part, Unsatisfiable, wanted_part
from jobs.storage import OutputGone

CHUNK = 65_536
# Of the OpenAPI document. The type of a file is that of its name; not every reader of the document
# knows wildcards.
_BYTES = ("application/octet-stream", "*/*")
FILE = {
    (status, media_type): OpenApiResponse(OpenApiTypes.BINARY, description)
    for status, description in ((200, "The file."), (206, "The part that Range names."))
    for media_type in _BYTES
}
KEY = OpenApiParameter("key", str, required=True, description="What the address came with.")
HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-store, no-transform",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
}


def file_answer(request: Request, path: Path, name: str) -> HttpResponseBase:
    """The file as an attachment of this name, which must be safe. Raises OutputGone.

    Where MEDIA_ACCEL_PREFIX is set the proxy in front sends it.
    """
    try:
        status = path.stat()
    except OSError:
        raise OutputGone("The file is not there any more.") from None
    etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    try:
        part = wanted_part(
            request.headers.get("Range"), request.headers.get("If-Range"), etag, status.st_size
        )
    except Unsatisfiable:
        detail = f"The file has {status.st_size} bytes."
        refusal = problem(request._request, 416, "range_not_satisfiable", detail)
        refusal.headers["Content-Range"] = f"bytes */{status.st_size}"
        return refusal
    if settings.MEDIA_ACCEL_PREFIX:
        response: HttpResponseBase = HttpResponse()
        response.headers["X-Accel-Redirect"] = _internal(path)
    elif part is None:
        response = FileResponse(path.open("rb"))
    else:
        response = StreamingHttpResponse(_read(path, part), status=206)
        response.headers["Content-Length"] = str(part.length)
        last = part.first + part.length - 1
        response.headers["Content-Range"] = f"bytes {part.first}-{last}/{status.st_size}"
    for header, value in HEADERS.items():
        response.headers[header] = value
    response.headers["ETag"] = etag
    response.headers["Content-Type"] = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


def _internal(path: Path) -> str:
    relative = path.relative_to(Path(settings.MEDIA_ROOT).resolve())
    return f"{settings.MEDIA_ACCEL_PREFIX.rstrip('/')}/{quote(str(relative))}"


def _read(path: Path, part: Part) -> Iterator[bytes]:
    left = part.length
    with path.open("rb") as file:
        file.seek(part.first)
        while left and (data := file.read(min(CHUNK, left))):
            left -= len(data)
            yield data
