"""What takes a login that is not long ago."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from accounts.models import Token
from accounts.sessions import began


class LoginAgain(APIException):
    """Whoever found a page open, or a token, may not end what the owner has elsewhere."""

    status_code = 403
    default_code = "login_again"
    default_detail = "Your login is too long ago for this. Log in again."


def demand_recent_login(request: Request) -> None:
    """Raise LoginAgain unless the login that the session or token is of was in the last
    RECENT_LOGIN_MINUTES."""
    if isinstance(request.auth, Token):
        at = request.auth.created
    else:
        at = began(request._request.session)
    if timezone.now() - at > timedelta(minutes=settings.RECENT_LOGIN_MINUTES):
        raise LoginAgain
