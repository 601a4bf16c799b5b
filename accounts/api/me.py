"""auth/me: the account, and its password."""

from dataclasses import asdict
from typing import Any, ClassVar

from django.contrib.auth import logout
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.answers import Account as AccountAnswer
from accounts.api.proof import user_with
from accounts.api.serializers import NewPasswordSerializer
from accounts.models import Account, plan_of
from accounts.permissions import scopes_of
from accounts.plans import FREE
from accounts.scopes import LOGIN, SCOPES, SIGNED_IN
from accounts.second_factor import is_on


class Me(APIView):
    """GET auth/me: who asks, and what he may."""

    scopes: ClassVar = {"GET": SIGNED_IN}
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(responses=AccountAnswer)
    def get(self, request: Request) -> Response:
        """Answer 200; a limit of 0 is none."""
        user: Any = request.user
        account = Account.objects.filter(user=user).first()
        return Response(
            {
                "id": str(user.pk),
                "username": user.get_username(),
                "email": user.email,
                "is_staff": user.is_staff,
                "second_factor": is_on(user),
                "scopes": [scope for scope in SCOPES if scope in scopes_of(request)],
                "plan": account.plan if account else FREE,
                "limits": asdict(plan_of(user)),
            }
        )


class Password(APIView):
    """POST auth/me/password: a new one. Whatever was logged in, also this, has to log in again."""

    scopes: ClassVar = {"POST": LOGIN}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=NewPasswordSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Answer 204; 401 when the current password or code is wrong, 429 after too many."""
        user: Any = request.user
        asked = NewPasswordSerializer(data=request.data, context={"user": user})
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        known = user_with(request, user.get_username(), values["current_password"], values["otp"])
        known.set_password(values["new_password"])
        known.save(update_fields=["password"])
        logout(request._request)
        return Response(status=204)
