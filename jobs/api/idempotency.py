"""A POST that is sent again with its Idempotency-Key makes nothing twice.

draft-ietf-httpapi-idempotency-key-header: the answer comes again as it was, with no sign that it
was kept; only answers of success are kept, since nothing else has made anything.
"""

import json
import re
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.db import transaction
from rest_framework.exceptions import APIException, ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.batch_body import Body
from jobs.api.ownership import owner_of
from jobs.models import IdempotencyKey
from jobs.queue.database import fetch

HEADER = "Idempotency-Key"

# A string of structured fields (RFC 8941), or the same without quotes.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"')
_BARE = re.compile(r"[!#-\[\]-~]{1,255}")

View = TypeVar("View")
Rest = ParamSpec("Rest")
Handler = Callable[Concatenate[View, Request, Rest], Response]


class KeyInUse(APIException):
    """The first request with this key has not been answered yet."""

    status_code = 409
    default_code = "idempotency_key_in_use"
    default_detail = "A request with this Idempotency-Key is in progress. Try again."
    wait = 1


class KeyReused(APIException):
    """The key came with another body or query before."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was used with another body."


def idempotent(handler: Handler[View, Rest]) -> Handler[View, Rest]:
    """Decorate a view's `post`. With a key it runs in a transaction, in which its answer is kept.

    Raises ParseError, KeyInUse, KeyReused.
    """

    @wraps(handler)
    def answered(
        view: View, request: Request, /, *args: Rest.args, **kwargs: Rest.kwargs
    ) -> Response:
        if HEADER not in request.headers:
            return handler(view, request, *args, **kwargs)
        digest = _digest(request)
        fingerprint = _fingerprint(request)
        with transaction.atomic():
            _lock(digest)
            known = IdempotencyKey.objects.filter(digest=digest).first()
            if known is not None:
                return _again(known, fingerprint)
            response = handler(view, request, *args, **kwargs)
            _keep(digest, fingerprint, response)
        return response

    return cast("Handler[View, Rest]", answered)


def _digest(request: Request) -> str:
    """The key as it is stored: nobody can read a client's key in the database."""
    parts = [owner_of(request), request.method, request._request.path_info, _key(request)]
    return sha256(json.dumps(parts).encode()).hexdigest()


def _fingerprint(request: Request) -> str:
    """What was asked."""
    data: Any = request.data
    body = [data.media_type, data.fingerprint] if isinstance(data, Body) else data
    asked = [body, sorted(request.query_params.lists())]
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _key(request: Request) -> str:
    given = request.headers[HEADER].strip()
    if quoted := _QUOTED.fullmatch(given):
        return re.sub(r"\\(.)", r"\1", quoted[1])
    if _BARE.fullmatch(given):
        return given
    raise ParseError(
        f"{HEADER} must be 1 to 255 printable ASCII characters, in quotes or without spaces.",
        "bad_idempotency_key",
    )


def _lock(digest: str) -> None:
    """Until the transaction ends. Who does not get it answers, and does not wait."""
    number = int(digest[:16], 16) - 2**63
    [(locked,)] = fetch("SELECT pg_try_advisory_xact_lock(%(number)s)", {"number": number})
    if not locked:
        raise KeyInUse


def _again(known: IdempotencyKey, fingerprint: str) -> Response:
    if known.fingerprint != fingerprint:
        raise KeyReused
    headers = {"Location": known.location} if known.location else {}
    return Response(json.loads(known.body), status=known.status, headers=headers)


def _keep(digest: str, fingerprint: str, response: Response) -> None:
    body: Any = JSONRenderer().render(response.data)
    IdempotencyKey.objects.create(
        digest=digest,
        fingerprint=fingerprint,
        status=response.status_code,
        location=response.headers.get("Location", ""),
        body=body.decode(),
    )
