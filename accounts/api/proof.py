"""Whether somebody knows a password; and how often he may try."""

import math

import structlog
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from rest_framework.exceptions import APIException, Throttled
from rest_framework.request import Request

from accounts.client_address import client_address
from jobs.queue.limits import count

log = structlog.get_logger(__name__)


class WrongCredentials(APIException):
    """One answer for a name that is not there, a wrong password and a user who is shut out."""

    status_code = 401
    default_code = "wrong_credentials"
    default_detail = "No account has this name and password."
    auth_header = "Token"


def user_with(request: Request, username: str, password: str) -> User:
    """The active user with this name and password.

    Raises WrongCredentials; Throttled while name and address are locked, after LOGIN_FAILURES, or
    the address tried more than LOGINS_PER_MIN_LIMIT times in this minute.
    """
    slow_down(request, "login", settings.LOGINS_PER_MIN_LIMIT)
    # django-axes and the session need Django's own request.
    http = request._request
    if not AxesProxyHandler.is_allowed(http, {"username": username}):
        raise Throttled(math.ceil(get_cool_off(http).total_seconds()), code="locked")
    user = authenticate(http, username=username, password=password)
    if not isinstance(user, User):
        log.warning("login.failed", username=username, client=client_address(http))
        raise WrongCredentials
    return user


def slow_down(request: Request, what: str, most: int) -> None:
    """Count one try of the client's address in this minute. Raises Throttled beyond `most`."""
    seconds = count(f"{what}:{client_address(request._request)}"[:60], most=most)
    if seconds:
        raise Throttled(seconds)
