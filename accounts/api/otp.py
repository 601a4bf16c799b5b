"""auth/me/otp: the second factor."""

from typing import Any, ClassVar

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import second_factor
from accounts.api import answers
from accounts.api.proof import locked, user_with
from accounts.api.serializers import CodeSerializer, ProofSerializer
from accounts.scopes import LOGIN


class SecondFactorOn(APIException):
    """It has to be taken away before there can be another."""

    status_code = 409
    default_code = "second_factor_on"
    default_detail = "This account has a second factor."


class SecondFactorOff(APIException):
    """There is none."""

    status_code = 409
    default_code = "second_factor_off"
    default_detail = "This account has no second factor."


class Otp(APIView):
    """POST auth/me/otp: begin with a second factor. It counts once it is confirmed."""

    scopes: ClassVar = {"POST": LOGIN}
    http_method_names = ["post"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(request=ProofSerializer, responses=answers.OtpSecret)
    def post(self, request: Request) -> Response:
        """Answer 200 with what the app reads, shown this once; 401; 409 where there is one."""
        user = _proven(request)
        try:
            secret, url = second_factor.begin(user)
        except second_factor.AlreadyOn:
            raise SecondFactorOn from None
        return Response({"secret": secret, "url": url})


class OtpConfirm(APIView):
    """POST auth/me/otp/confirm: from now on a login takes a code. Whatever was logged in, also
    this, has to log in again."""

    scopes: ClassVar = {"POST": LOGIN}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=CodeSerializer, responses=answers.RecoveryCodes)
    def post(self, request: Request) -> Response:
        """Answer 200 with recovery codes, shown this once; 400 for a wrong code, 429."""
        asked = CodeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        user: Any = request.user
        try:
            codes = second_factor.confirm(user, asked.validated_data["otp"])
        except second_factor.TooManyCodes as error:
            raise locked(error.seconds) from None
        if codes is None:
            detail = serializers.ErrorDetail("This code is not the one of now.", "invalid")
            raise ValidationError({"otp": [detail]})
        return Response({"recovery_codes": codes})


class OtpRemove(APIView):
    """POST auth/me/otp/remove: a login takes no code any more. Whatever was logged in, also this,
    has to log in again."""

    scopes: ClassVar = {"POST": LOGIN}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=ProofSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Answer 204; 401; 409 where there is none."""
        second_factor.remove(_proven_with_code(request))
        return Response(status=204)


class RecoveryCodes(APIView):
    """POST auth/me/otp/recovery-codes: new ones. Those before end."""

    scopes: ClassVar = {"POST": LOGIN}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=ProofSerializer, responses=answers.RecoveryCodes)
    def post(self, request: Request) -> Response:
        """Answer 200 with them, shown this once; 401; 409 where there is no second factor."""
        codes = second_factor.new_recovery_codes(_proven_with_code(request))
        return Response({"recovery_codes": codes})


def _proven(request: Request) -> User:
    """Who asks, after he has shown again that it is he."""
    asked = ProofSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return user_with(request, request.user.get_username(), **asked.validated_data)


def _proven_with_code(request: Request) -> User:
    user = _proven(request)
    if not second_factor.is_on(user):
        raise SecondFactorOff
    return user
