"""A name for every request, in its answer and in every line that is logged for it."""

import re
import time
from collections.abc import Callable
from uuid import uuid4

import structlog
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"

_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)

log = structlog.get_logger(__name__)


class RequestIdMiddleware:
    """Takes a well-formed X-Request-ID or makes one; answers with it, binds it for the log, and
    logs one line a request. The first middleware, so that every answer passes it.

    The line has the route and not the address: what a client put into path, query and headers may
    be secret, or made to look like another line.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        request_id = name(request)
        # Django logs refusals after the last middleware: what is bound stays until the very end.
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response.headers[HEADER] = request_id
        log_request(request, response.status_code, time.perf_counter() - began)
        return response


@receiver(request_finished)
def _unbind(**_: object) -> None:
    structlog.contextvars.unbind_contextvars("request_id")


def name(request: HttpRequest) -> str:
    """Name this request as the client does, or anew."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    request_id = given if _WELL_FORMED.fullmatch(given) else str(uuid4())
    request.META["mediaproc.request_id"] = request_id
    return request_id


def request_id_of(request: HttpRequest) -> str:
    """The name of this request."""
    return str(request.META.get("mediaproc.request_id", ""))


def log_request(request: HttpRequest, status: int, seconds: float) -> None:
    """The line of a request that was answered."""
    found = request.resolver_match
    named = {} if found is None else found.kwargs
    ids = [value for name, value in named.items() if name.endswith("_id") and _is_id(value)]
    log.info(
        "http.request",
        method=request.method if str(request.method).isalpha() else "",
        route=None if found is None else found.route,
        ids=ids or None,
        status=status,
        milliseconds=round(seconds * 1000, 1),
        user=getattr(getattr(request, "user", None), "pk", None),
    )


def _is_id(value: str) -> bool:
    """Anything else that stands in its place may be a secret."""
    return re.fullmatch(r"[0-9A-Fa-f-]{32,36}", value) is not None
