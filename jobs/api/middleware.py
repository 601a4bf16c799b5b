"""What holds for every address under /api/, whichever view answers and whether one does."""

from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from jobs.api.document import CONTENT_TYPE, general_problem, is_api, problem
from jobs.api.problems import bad_request
from jobs.api.throttles import tell_limits

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

# Of what a page may ask a browser for; none does.
NO_PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "geolocation", "microphone", "payment", "usb", "interest-cohort")
)


class PagePolicyMiddleware(CSPMiddleware):
    """The Content-Security-Policy of the settings, for what has none yet: answers of the API have
    theirs, and composing another for each takes as long as some of them take."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """The answer with a policy."""
        if "Content-Security-Policy" in response.headers:
            return response
        return super().process_response(request, response)


class ApiPathMiddleware:
    """Makes the last slash of an API address optional, refuses addresses that are not text, answers
    every error as a problem document, and sets the headers of an API.

    The slash is stripped here because a redirect would turn a POST into a GET. Plain http is
    refused where SECURE_SSL_REDIRECT is on (OWASP ASVS 5.0, 4.1.2): a redirect would hide from a
    client that it sends its secrets in the clear.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not _is_text(request):
            return _finished(request, bad_request(request, SuspiciousOperation()))
        if not is_api(request):
            return _finished(request, self.get_response(request))
        return _finished(request, _refusal(request) or self.get_response(_without_slash(request)))


def _refusal(request: HttpRequest) -> HttpResponse | None:
    try:
        request.get_host()
    except DisallowedHost as error:
        return bad_request(request, error)
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        return problem(request, 403, "https_required", "Use https for this address.")
    if "Transfer-Encoding" in request.headers and not request.META.get("CONTENT_LENGTH"):
        # Django reads such a body as empty, and the answer would be about missing fields.
        return problem(request, 411, "length_required", "Send the body with a Content-Length.")
    return None


def _without_slash(request: HttpRequest) -> HttpRequest:
    if request.path_info.endswith("/"):
        request.path_info = request.path_info[:-1]
    return request


def _finished(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer as the API gives it, also where Django made a page (with DEBUG it does)."""
    response.headers.setdefault("Permissions-Policy", NO_PERMISSIONS)
    if not is_api(request):
        return response
    is_problem = response.headers.get("Content-Type") == CONTENT_TYPE
    if response.status_code >= 400 and not is_problem:  # noqa: PLR2004 - where HTTP's errors begin
        response = general_problem(request, response.status_code)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)  # a file has stricter ones
    tell_limits(request, response)
    return response


def _is_text(request: HttpRequest) -> bool:
    """Whether path and query are UTF-8 without NUL.

    Of a path that is not UTF-8, Django's WSGI request keeps the percent codes. ASGI servers put
    U+FFFD into it, which may have been sent as well; they have beside it what was.
    """
    path = request.path_info
    if isinstance(request, ASGIRequest):
        path = request.scope.get("raw_path") or path
    query = unquote_to_bytes(str(request.META.get("QUERY_STRING", "")))
    try:
        return "\0" not in (unquote_to_bytes(path) + query).decode()
    except UnicodeDecodeError:
        return False
