"""auth/session: a page's way in, by cookie."""

from django.contrib.auth import login
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.answers import SessionStart
from accounts.api.proof import user_with
from accounts.api.serializers import CredentialsSerializer
from accounts.second_factor import is_lacking


class Session(APIView):
    """GET auth/session: what a page sends as X-CSRFToken. POST: log in. To log out: auth/logout."""

    authentication_classes = ()
    public = True
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(responses=SessionStart)
    def get(self, request: Request) -> Response:
        """Answer 200, and set the cookie that belongs to it."""
        return Response({"csrf_token": get_token(request._request)})

    @extend_schema(request=CredentialsSerializer, responses=SessionStart)
    def post(self, request: Request) -> Response:
        """Answer 200 with the new CSRF token and the cookie of the session; 401, 403, 429."""
        # REST framework asks for it of somebody who has a session; who logs in has none yet, and
        # could be made to log in as somebody else.
        SessionAuthentication().enforce_csrf(request)
        asked = CredentialsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        user = user_with(request, **asked.validated_data)
        if is_lacking(user):
            raise PermissionDenied(
                "Get a second factor first: auth/login, auth/me/otp.", "second_factor_required"
            )
        # Django keeps the session of a user who logs in again.
        request._request.session.flush()
        login(request._request, user)
        return Response({"csrf_token": get_token(request._request)})
