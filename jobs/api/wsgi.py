"""A guard in front of Django: what fails before the first middleware runs."""

import codecs
from typing import TYPE_CHECKING

from django.utils.http import parse_header_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

UNREADABLE = "application/octet-stream"


def with_readable_content_type(application: "WSGIApplication") -> "WSGIApplication":
    """Wrap a WSGI application so that a malformed Content-Type is answered 415, not 500.

    Django 5.2 reads the header while it makes the request object and lets the ValueError of a
    parameter such as `x*=idna'en'%41` or `charset*=utf-8''%00` through to the server.
    """

    def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        if not is_readable(environ.get("CONTENT_TYPE", "")):
            environ["CONTENT_TYPE"] = UNREADABLE
        return application(environ, start_response)

    return guarded


def is_readable(content_type: str) -> bool:
    """Whether Django can make a request object of it."""
    try:
        _, parameters = parse_header_parameters(content_type)
        codecs.lookup(parameters.get("charset", "utf-8"))
    except LookupError:
        return True  # of a charset that nobody knows: Django leaves it alone
    except ValueError:
        return False
    return True
