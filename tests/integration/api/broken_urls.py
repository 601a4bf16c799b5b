"""A URLconf whose views fail in every way, for the tests of how failures are answered."""

from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_protect
from rest_framework.exceptions import NotAuthenticated, Throttled
from rest_framework.request import Request
from rest_framework.views import APIView

FAILURES: dict[str, BaseException] = {
    "unforeseen": RuntimeError("the secret of line 7"),
    "data": DataError("invalid input syntax"),
    "recursion": RecursionError("maximum recursion depth exceeded"),
    "unicode": UnicodeError("surrogates not allowed"),
    "operational": OperationalError("server closed the connection"),
    "interface": InterfaceError("connection already closed"),
    "too_big": RequestDataTooBig(),
    "denied": PermissionDenied("because"),
    "missing": Http404("no such thing"),
    "suspicious": SuspiciousOperation("hm"),
    "throttled": Throttled(wait=7),
    "anonymous": NotAuthenticated(),
}


class Failing(APIView):
    """Raises inside of REST framework."""

    public = True

    def get(self, request: Request, name: str) -> NoReturn:
        raise FAILURES[name]


def failing(request: HttpRequest, name: str) -> NoReturn:
    """Raises outside of it."""
    raise FAILURES[name]


@csrf_protect
def protected(request: HttpRequest) -> HttpResponse:
    """Wants a CSRF token."""
    return HttpResponse("done")


def bare(request: HttpRequest, status: int) -> HttpResponse:
    """Answers with a page."""
    return HttpResponse("<h1>a page</h1>", status=status)


urlpatterns: list[Any] = [
    path("api/v1/view/<str:name>", Failing.as_view()),
    path("api/v1/plain/<str:name>", failing),
    path("api/v1/protected", protected),
    path("api/v1/bare/<int:status>", bare),
    path("elsewhere/<str:name>", failing),
]
handler400 = "jobs.api.problems.bad_request"
handler403 = "jobs.api.problems.permission_denied"
handler404 = "jobs.api.problems.not_found"
handler500 = "jobs.api.problems.server_error"
