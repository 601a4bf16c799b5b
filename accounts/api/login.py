"""POST auth/login, logout, logoutall: tokens for programs."""

from typing import Any, ClassVar

from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.answers import NewToken
from accounts.api.proof import user_with
from accounts.api.recent_login import demand_recent_login
from accounts.api.serializers import LoginSerializer, TokenSerializer, check_scopes
from accounts.models import Token
from accounts.permissions import scopes_of_user
from accounts.scopes import LOGIN, SIGNED_IN
from accounts.second_factor import is_lacking
from accounts.sessions import end_everything

# To browsers: keep nothing of whoever was here.
FORGET = {"Clear-Site-Data": '"cache", "cookies", "storage"'}


class Login(APIView):
    """POST auth/login: a new token for a name and password."""

    # Who logs in may well send a token that has ended along.
    authentication_classes = ()
    public = True
    http_method_names = ["post"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(request=LoginSerializer, responses=NewToken)
    def post(self, request: Request) -> Response:
        """Answer 200 with the token, which is shown this once; 401, `otp_required` where a code is
        missing; 429 while locked. Who must have a second factor and has none gets a token without
        scopes, which is good for getting one."""
        asked = LoginSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = asked.validated_data
        user = user_with(request, values["username"], values["password"], values["otp"])
        check_scopes(values["scopes"], scopes_of_user(user))
        scopes = [] if is_lacking(user) else values["scopes"]
        row, token = Token.objects.create(user, name=values["name"], scopes=scopes, lives_on=True)
        # There is no session, but it is a login: failures before it are forgotten, it is logged.
        user_logged_in.send(sender=User, request=request._request, user=user)
        return Response({"token": token, **TokenSerializer(row).data})


class Logout(APIView):
    """POST auth/logout: the token of this request ends, or the session."""

    scopes: ClassVar = {"POST": SIGNED_IN}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Answer 204."""
        if isinstance(request.auth, Token):
            request.auth.delete()
        else:
            logout(request._request)
        return Response(status=204, headers=FORGET)


class LogoutAll(APIView):
    """POST auth/logoutall: every token and session of the user ends."""

    scopes: ClassVar = {"POST": LOGIN}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Answer 204; 403 `login_again`."""
        demand_recent_login(request)
        user: Any = request.user
        logout(request._request)
        end_everything(user)
        return Response(status=204, headers=FORGET)
