"""The RFC 9457 document that every error under /api/ is.

Members: type, title, status, detail, instance; ours are `code` (stable, snake_case) and `errors`, a
list of {field, code, detail} that is empty unless fields are to blame. A 5xx has `request_id`,
which the log has too.
"""

from http import HTTPStatus
from typing import Any, TypedDict

from django.http import HttpRequest, JsonResponse
from django.utils.encoding import escape_uri_path

from jobs.api.request_id import request_id_of

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5

# Python 3.11 and 3.12 still have the older phrases of RFC 7231.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
_GENERAL = {
    400: ("bad_request", "The request cannot be read."),
    403: ("permission_denied", "This is not allowed."),
    404: ("not_found", "There is nothing at this address."),
    500: ("server_error", "The service failed to answer this request. The failure is logged."),
    503: ("unavailable", "The service is not available now. Try again in a few seconds."),
}


class FieldError(TypedDict):
    """What is wrong with one field; `field` is null when it is about the body as a whole."""

    field: str | None
    code: str
    detail: str


def is_api(request: HttpRequest) -> bool:
    """Whether the address is one of the API's, known or not."""
    return f"{request.path_info}/".startswith("/api/")


def problem(
    request: HttpRequest,
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[FieldError] | None = None,
    **extensions: Any,
) -> JsonResponse:
    """The answer for an error. `extensions` are further members of the document."""
    document = {
        "type": "about:blank",
        "title": _TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": escape_uri_path(request.path),
        "code": code,
        "errors": errors or [],
        **extensions,
    }
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        document["request_id"] = request_id_of(request)
    response = JsonResponse(document, status=status, content_type=CONTENT_TYPE)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def general_problem(request: HttpRequest, status: int) -> JsonResponse:
    """The answer for an error of which no more is known than its status."""
    code, detail = _GENERAL.get(status, ("error", f"{HTTPStatus(status).phrase}."))
    return problem(request, status, code, detail)
