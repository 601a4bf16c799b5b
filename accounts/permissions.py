"""Who may what. A view says for each of its methods which scope it takes, or that it is public.

Settings name the class here, so nothing of rest_framework.views may be imported.
"""

from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import Token
from accounts.scopes import ADMIN, LOGIN, OF_ANYBODY, SCOPES, SIGNED_IN
from accounts.second_factor import is_lacking

if TYPE_CHECKING:
    from rest_framework.views import APIView


class Asker(Protocol):
    """Who asks: REST framework's request, or no more of it than this."""

    @property
    def user(self) -> Any:
        """None or an AnonymousUser without an account."""

    @property
    def auth(self) -> Any:
        """The row of the token; None for a session."""


class Allowed(BasePermission):
    """Lets a request through whose scopes have that of the view's method.

    A view has `scopes`, a mapping of HTTP methods to scopes (HEAD goes with GET), or `public =
    True`. One that has neither is for nobody, so that a forgotten line opens nothing.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Without credentials REST framework makes a 401 of False, else a 403. Raises
        PermissionDenied that says so where only a second factor is missing."""
        method = str(request.method)
        if method not in view.allowed_methods:
            return True  # the answer is 405, whoever asks
        if getattr(view, "public", False):
            return True
        scopes: dict[str, str] = getattr(view, "scopes", {})
        if scopes.get("GET" if method == "HEAD" else method) in scopes_of(request):
            return True
        if _has_only_a_password(request):
            raise PermissionDenied(
                "Get a second factor first, with this token: auth/me/otp.", "second_factor_required"
            )
        return False


def _has_only_a_password(request: Request) -> bool:
    """Whether this is the token without scopes of who has to have a second factor."""
    token = request.auth
    return isinstance(token, Token) and not token.scopes and is_lacking(token.user)


def scopes_of(request: Asker) -> frozenset[str]:
    """What this request may do."""
    user: Any = request.user
    if user is None or not user.is_authenticated:
        return OF_ANYBODY if settings.ALLOW_ANONYMOUS else frozenset()
    token = request.auth if isinstance(request.auth, Token) else None
    held = scopes_of_user(user)
    if token is not None:
        held = held.intersection(token.scopes)
    login = {LOGIN} if token is None or token.lives_on else set()
    return frozenset({SIGNED_IN, *login, *held})


def scopes_of_user(user: User) -> frozenset[str]:
    """What a token of this user can be for."""
    return frozenset(SCOPES if user.is_staff else SCOPES.keys() - {ADMIN})


def is_admin(request: Asker) -> bool:
    """Whether everybody's jobs are this request's to see and to change."""
    return ADMIN in scopes_of(request)
