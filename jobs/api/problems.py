"""Every error under /api/ as a problem document, whoever raised it.

Settings name the functions here, so nothing of rest_framework.views may be imported.
"""

from collections.abc import Iterator, Mapping
from functools import singledispatch
from typing import Any

import structlog
from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views import defaults
from rest_framework import exceptions
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    ErrorDetail,
    NotAuthenticated,
    Throttled,
    ValidationError,
)
from rest_framework.settings import api_settings

from jobs.api.batch_report import InvalidRows
from jobs.api.document import FieldError, general_problem, is_api, problem
from jobs.api.throttles import count_by_address, note_limit
from jobs.processors.contract import Invalid
from jobs.queue.errors import NoSuchJob, WrongStatus
from jobs.queue.limits import TooManySubmissions
from jobs.remote.errors import Refused
from jobs.storage import OutputGone

log = structlog.get_logger(__name__)

# What Django itself refuses: the names that the URLconf gives to handler400 and its kin.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 for what Django finds suspicious, such as a Host that is not allowed."""
    if not is_api(request):
        return defaults.bad_request(request, exception)
    if isinstance(exception, DisallowedHost):
        return problem(request, 400, "bad_host", "The Host header names a host that is not served.")
    return general_problem(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    if is_api(request):
        return general_problem(request, 403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    if is_api(request):
        return general_problem(request, 404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500."""
    if is_api(request):
        return general_problem(request, 500)
    return defaults.server_error(request)


# What views raise.


def exception_handler(exception: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """REST framework's EXCEPTION_HANDLER. None, and so a 500, for what nobody foresaw."""
    return _answer(exception, context["request"])


@singledispatch
def _answer(exception: Exception, request: HttpRequest) -> HttpResponse | None:
    return None


@_answer.register
def _(exception: Invalid, request: HttpRequest) -> HttpResponse:
    return _invalid(request, exception.status, field_errors(exception))


@_answer.register
def _(exception: NoSuchJob, request: HttpRequest) -> HttpResponse:
    return problem(request, 404, "not_found", str(exception))


@_answer.register
def _(exception: WrongStatus, request: HttpRequest) -> HttpResponse:
    """A conflict with what the job is; `job_status` says what that is."""
    return problem(request, 409, exception.code, str(exception), job_status=exception.status.value)


@_answer.register
def _(exception: TooManySubmissions, request: HttpRequest) -> HttpResponse:
    note_limit(request, "jobs", exception.most, 0, exception.retry_after)
    response = problem(request, 429, "too_many_submissions", str(exception))
    response["Retry-After"] = str(exception.retry_after)
    return response


@_answer.register
def _(exception: InvalidRows, request: HttpRequest) -> HttpResponse:
    return problem(request, 400, "invalid_rows", str(exception), **exception.report.as_json())


@_answer.register
def _(exception: Refused, request: HttpRequest) -> HttpResponse:
    response = problem(request, exception.status, exception.code, str(exception))
    if exception.retry_after is not None:
        response["Retry-After"] = str(exception.retry_after)
    return response


@_answer.register
def _(exception: OutputGone, request: HttpRequest) -> HttpResponse:
    return problem(request, 410, "output_gone", str(exception))


@_answer.register
def _(exception: ValidationError, request: HttpRequest) -> HttpResponse:
    return _invalid(request, 400, field_errors(exception))


@_answer.register(AuthenticationFailed)
@_answer.register(NotAuthenticated)
@_answer.register(exceptions.PermissionDenied)
def _(exception: APIException, request: Any) -> HttpResponse | None:
    """Refused before the throttle was asked: it counts for the address that it came from."""
    try:
        count_by_address(request)
    except (Throttled, OperationalError, InterfaceError) as refusal:
        return _answer(refusal, request)
    return _of_api(exception, request)


@_answer.register
def _of_api(exception: APIException, request: HttpRequest) -> HttpResponse:
    response = problem(
        request, exception.status_code, str(exception.get_codes()), str(exception.detail)
    )
    for header, attribute in (("WWW-Authenticate", "auth_header"), ("Retry-After", "wait")):
        if (value := getattr(exception, attribute, None)) is not None:
            response[header] = str(value)
    return response


@_answer.register
def _(exception: Http404, request: HttpRequest) -> HttpResponse:
    return general_problem(request, 404)


@_answer.register
def _(exception: PermissionDenied, request: HttpRequest) -> HttpResponse:
    return general_problem(request, 403)


@_answer.register
def _(exception: RequestDataTooBig, request: HttpRequest) -> HttpResponse:
    return problem(request, 413, "body_too_large", "The body is larger than this service takes.")


@_answer.register
def _(exception: UnreadablePostError, request: HttpRequest) -> HttpResponse:
    return problem(request, 400, "incomplete_body", "The connection ended before the body did.")


@_answer.register(OperationalError)
@_answer.register(InterfaceError)
def _(exception: Exception, request: HttpRequest) -> HttpResponse:
    log.warning("api.database_unavailable", path=request.path, error=str(exception).strip())
    detail = "The database does not answer now. Try again in a few seconds."
    return problem(request, 503, "database_unavailable", detail)


@_answer.register(DataError)
@_answer.register(RecursionError)
@_answer.register(UnicodeError)
def _(exception: Exception, request: HttpRequest) -> HttpResponse:
    """Each of these is a value that validation should have refused: a hole to close."""
    log.error("api.unvalidated_input", path=request.path, exc_info=exception)
    return problem(
        request, 400, "invalid_value", "The request holds a value that cannot be stored."
    )


def field_errors(exception: Invalid | ValidationError) -> list[FieldError]:
    """All that is wrong with a body."""
    if isinstance(exception, ValidationError):
        return list(_flatten(exception.detail))
    return [
        FieldError(field=one.field, code=one.code, detail=one.detail) for one in exception.each()
    ]


def _invalid(request: HttpRequest, status: int, errors: list[FieldError]) -> HttpResponse:
    named = ", ".join(sorted({error["field"] for error in errors if error["field"]}))
    detail = f"Not valid: {named}." if named else "The body is not valid."
    return problem(request, status, "validation_error", detail, errors=errors)


def _flatten(detail: Any, field: str | None = None) -> Iterator[FieldError]:
    """REST framework's nested errors as a list; a nested field is `outer.inner`."""
    if isinstance(detail, ErrorDetail):
        yield FieldError(field=field, code=detail.code or "invalid", detail=str(detail))
    elif isinstance(detail, Mapping):
        for name, inner in detail.items():
            if name == api_settings.NON_FIELD_ERRORS_KEY:
                yield from _flatten(inner, field)
            else:
                yield from _flatten(inner, f"{field}.{name}" if field else str(name))
    else:
        for inner in detail:
            yield from _flatten(inner, field)
