"""The 304 of jobs/api/unchanged.py in front of Django, where the web server hands over a request.

Django's own handler and the middlewares that set headers cost as much again as the answer. What
they say is learned from them: all that they look at is the same in many polls.
"""

import time
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog
from django.core.handlers.wsgi import WSGIRequest

from jobs.api.request_id import HEADER, log_request, name
from jobs.api.unchanged import ANSWERED, unchanged
from jobs.statement import own_connection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What the tag, the account and the id of a request come from, and nothing else that Django says.
_OWN = frozenset({"HTTP_AUTHORIZATION", "HTTP_IF_NONE_MATCH", "HTTP_X_REQUEST_ID"})
_ASKED = frozenset(
    {
        "CONTENT_LENGTH", "CONTENT_TYPE", "QUERY_STRING", "REQUEST_METHOD", "SCRIPT_NAME",
        "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme",
    }
)  # fmt: skip
_OF_ONE_ANSWER = {"ETag", HEADER}
_MOST_KINDS = 128
_LONGEST_KIND = 4096

_Kind: TypeAlias = tuple[tuple[str, Any], ...]


class UnchangedFirst:
    """A WSGI application that answers 304 as `application`, Django, did to a request like this one.

    Alike are requests of the same headers, host, scheme and query, but for token, tag and id. The
    first of a kind is Django's, which may refuse it: by its host, by its scheme. So is whatever is
    not answered 304.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self._headers: dict[_Kind, list[tuple[str, str]]] = {}

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        if "HTTP_IF_NONE_MATCH" not in environ:
            return self._application(environ, start_response)
        kind = _kind_of(environ)
        learned = self._headers.get(kind)
        if learned is None:
            return self._application(environ, self._learning(kind, environ, start_response))
        own = _answer(environ)
        if own is None:
            return self._application(environ, start_response)
        start_response("304 Not Modified", learned + own)
        return ()

    def _learning(
        self, kind: _Kind, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "StartResponse":
        def learn(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            if ANSWERED in environ and len(repr(kind)) <= _LONGEST_KIND:
                if len(self._headers) >= _MOST_KINDS:
                    self._headers = {}
                self._headers[kind] = [one for one in headers if one[0] not in _OF_ONE_ANSWER]
            return start_response(status, headers, *more)

        return learn


def _kind_of(environ: "WSGIEnvironment") -> _Kind:
    return tuple(
        [
            (key, value)
            for key, value in environ.items()
            if (key[:5] == "HTTP_" and key not in _OWN) or key in _ASKED
        ]
    )


def _answer(environ: "WSGIEnvironment") -> list[tuple[str, str]] | None:
    """The headers of this answer alone, once it is logged."""
    began = time.perf_counter()
    connection = own_connection()
    # As Django does before a request and after it: its age, and whether an error broke it.
    connection.close_if_unusable_or_obsolete()
    request = WSGIRequest(environ)
    tag = unchanged(request)
    if tag is None:
        return None
    request_id = name(request)
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        log_request(request, 304, time.perf_counter() - began)
    connection.close_if_unusable_or_obsolete()
    return [("ETag", tag), (HEADER, request_id)]
