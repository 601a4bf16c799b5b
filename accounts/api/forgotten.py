"""auth/password/reset: for who forgot his password."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.answers import Detail
from accounts.api.proof import slow_down, slow_down_mail
from accounts.api.serializers import AddressSerializer, ForgottenSerializer, checked_password
from accounts.forgotten import set_password
from accounts.notices import FORGOTTEN, notify

RESETS_A_MINUTE = 10
# To one address, whoever asks: nobody's mailbox is to be filled.
MAILS_A_MINUTE = 1


class PasswordReset(APIView):
    """POST auth/password/reset: a code by mail."""

    authentication_classes = ()
    public = True
    http_method_names = ["post"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(request=AddressSerializer, responses={202: Detail})
    def post(self, request: Request) -> Response:
        """Answer 202, whether or not an account has this address: a job finds that out later. 403
        without a mail server."""
        if not settings.EMAIL_HOST:
            raise PermissionDenied("This service sends no mail.", "no_mail_server")
        slow_down(request, "reset", RESETS_A_MINUTE)
        asked = AddressSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        address = asked.validated_data["email"]
        slow_down_mail(address, MAILS_A_MINUTE)
        notify(FORGOTTEN, address=address)
        return Response({"detail": "Look into your mail."}, status=202)


class PasswordResetConfirm(APIView):
    """POST auth/password/reset/confirm: a new password with the code of the mail. All tokens and
    sessions end; a second factor stays."""

    authentication_classes = ()
    public = True
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=ForgottenSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Answer 204; one can log in now. 400 for a code that is wrong, used or too old."""
        slow_down(request, "reset_confirm", RESETS_A_MINUTE)
        asked = ForgottenSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = asked.validated_data
        password = values["new_password"]

        def check(user: User) -> None:
            try:
                checked_password(password, user)
            except ValidationError as error:
                raise ValidationError({"new_password": error.detail}) from None

        if not set_password(values["username"], values["code"], password, check):
            detail = serializers.ErrorDetail("This code is wrong, used or too old.", "invalid")
            raise ValidationError({"code": [detail]})
        return Response(status=204)
