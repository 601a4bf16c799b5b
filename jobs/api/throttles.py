"""Requests a minute of a user, else of a client address, counted once for all processes.

Settings name the class here, so nothing of rest_framework.views may be imported. What a client may
is data: accounts/plans.py for users, REQUESTS_PER_MIN_LIMIT for everybody else. It costs one
statement a request, which waits for no disk.
"""

import math
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.client_address import client_address
from accounts.models import plan_of
from jobs.api.ownership import owner_of
from jobs.queue.requests import count

if TYPE_CHECKING:
    from rest_framework.views import APIView

SECONDS = 60
_NOTED = "mediaproc.rate_limits"


class RequestThrottle(BaseThrottle):
    """REST framework asks it once a request, after the permissions."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Raises Throttled."""
        count_request(request)
        return True


class WorkThrottle(BaseThrottle):
    """For what remote workers call: apart from their user's other requests, so that these cannot
    cost a running job its lease."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Raises Throttled."""
        most = plan_of(request.user).work_requests_a_minute
        _count(request._request, f"work:{owner_of(request)}", most)
        return True


def count_request(request: Request) -> None:
    """Against the limit of who asks. Raises Throttled."""
    owner = owner_of(request)
    if owner is None:
        count_by_address(request._request)
    else:
        _count(request._request, f"user:{owner}", plan_of(request.user).requests_a_minute)


def count_by_address(request: HttpRequest) -> None:
    """Also for requests that are refused before the throttle is asked. Raises Throttled."""
    _count(request, f"address:{client_address(request)}", settings.REQUESTS_PER_MIN_LIMIT)


def note_limit(request: HttpRequest, name: str, most: int, remaining: int, seconds: int) -> None:
    """A limit that the answer is to tell."""
    limits = request.META.setdefault(_NOTED, {})
    limits[name] = (most, remaining, seconds)


def tell_limits(request: HttpRequest, response: HttpResponse) -> None:
    """Set the fields of draft-ietf-httpapi-ratelimit-headers-10."""
    if limits := request.META.get(_NOTED):
        response.headers["RateLimit-Policy"] = ", ".join(
            f'"{name}";q={most};w={SECONDS}' for name, (most, _, _) in limits.items()
        )
        response.headers["RateLimit"] = ", ".join(
            f'"{name}";r={remaining};t={seconds}'
            for name, (_, remaining, seconds) in limits.items()
        )


def _count(request: HttpRequest, client: str, most: int) -> None:
    if not most:
        return
    counted = count(client, most)
    seconds = max(1, math.ceil(counted.seconds_left))
    note_limit(request, "requests", most, max(0, most - counted.requests), seconds)
    if counted.requests > most:
        raise Throttled(seconds)
