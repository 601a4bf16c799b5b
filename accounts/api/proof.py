"""Whether somebody knows a password, and has the second factor; and how often he may try."""

import math
from hashlib import sha256

import structlog
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from rest_framework.exceptions import APIException, Throttled
from rest_framework.request import Request

from accounts.backends import CodeWanted
from accounts.client_address import client_address
from accounts.second_factor import TooManyCodes
from jobs.queue.limits import count

log = structlog.get_logger(__name__)


class WrongCredentials(APIException):
    """One answer for a name that is not there, a wrong password and a user who is shut out."""

    status_code = 401
    default_code = "wrong_credentials"
    default_detail = "No account has this name and password."
    auth_header = "Token"


class OtpRequired(APIException):
    """Name and password are right. Sent again with a code of the second factor, they get in."""

    status_code = 401
    default_code = "otp_required"
    default_detail = "Give a code of your app, or a recovery code, as otp."
    auth_header = "Token"


def user_with(request: Request, username: str, password: str, otp: str = "") -> User:
    """The active user with this name, password and, where he has a second factor, code.

    Raises WrongCredentials, also for a wrong code; OtpRequired without one; Throttled while name
    and address are locked, after LOGIN_FAILURES, while codes are, or when the address tried more
    than LOGINS_PER_MIN_LIMIT times in this minute.
    """
    slow_down(request, "login", settings.LOGINS_PER_MIN_LIMIT)
    # django-axes and the session need Django's own request.
    http = request._request
    if not AxesProxyHandler.is_allowed(http, {"username": username}):
        log.warning("login.locked", username=username, client=client_address(http))
        raise locked(get_cool_off(http).total_seconds())
    try:
        user = authenticate(http, username=username, password=password, otp=otp)
    except CodeWanted:
        raise OtpRequired from None
    except TooManyCodes as error:
        raise locked(error.seconds) from None
    if not isinstance(user, User):
        raise WrongCredentials
    return user


def locked(seconds: float) -> Throttled:
    """What to raise for so long after too many wrong tries."""
    return Throttled(math.ceil(seconds), code="locked")


def slow_down(request: Request, what: str, most: int) -> None:
    """Count one try of the client's address in this minute. Raises Throttled beyond `most`."""
    _count(f"{what}:{client_address(request._request)}", most)


def slow_down_mail(address: str, most: int) -> None:
    """Count one mail to this address in this minute, likewise."""
    _count(f"mail:{sha256(address.lower().encode()).hexdigest()}", most)


def _count(key: str, most: int) -> None:
    if seconds := count(key[:60], most=most):
        raise Throttled(seconds)
