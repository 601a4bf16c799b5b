"""POST auth/register and auth/confirm."""

from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.answers import Detail, Registered
from accounts.api.proof import slow_down
from accounts.api.serializers import PasswordField, checked_password
from accounts.registration import NameTaken, confirm, register, register_by_mail
from jobs.api.fields import StrictSerializer, TextField

REGISTRATIONS_A_MINUTE = 10

log = structlog.get_logger(__name__)


class RegisterSerializer(StrictSerializer):
    """The body of register. The address is required where there is a mail server."""

    username = TextField(max_length=150, validators=[UnicodeUsernameValidator()])
    password = PasswordField()
    email = serializers.EmailField(max_length=254, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The password is one for this user, whose name looks as it is stored."""
        attrs["username"] = User.normalize_username(attrs["username"])
        if settings.EMAIL_HOST and "email" not in attrs:
            raise serializers.ValidationError({"email": "Give an address."}, code="required")
        user = User(username=attrs["username"], email=attrs.get("email", ""))
        try:
            checked_password(attrs["password"], user)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"password": error.detail}) from None
        return attrs


class ConfirmSerializer(StrictSerializer):
    """The body of confirm."""

    username = TextField(max_length=150)
    code = TextField(max_length=100)


class MailDown(APIException):
    """The mail server does not answer, or does not take this mail."""

    status_code = 503
    default_code = "mail_unavailable"
    default_detail = "No mail can be sent now. Try again later."


class Register(APIView):
    """POST auth/register: a new account, where ALLOW_REGISTRATION is on."""

    authentication_classes = ()
    public = True
    http_method_names = ["post"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(request=RegisterSerializer, responses={201: Registered, 202: Detail})
    def post(self, request: Request) -> Response:
        """Answer 202: the mail tells the rest. Without a mail server 201, or 400 for a name that is
        taken."""
        if not settings.ALLOW_REGISTRATION:
            raise PermissionDenied("Nobody may register here.", code="registration_closed")
        slow_down(request, "register", REGISTRATIONS_A_MINUTE)
        asked = RegisterSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = asked.validated_data
        if settings.EMAIL_HOST:
            try:
                register_by_mail(values["username"], values["email"], values["password"])
            except OSError as error:
                log.error("register.no_mail", error=str(error))
                raise MailDown from None
            return Response({"detail": "Look into your mail."}, status=202)
        try:
            user = register(values["username"], values["password"])
        except NameTaken:
            detail = serializers.ErrorDetail("This name is taken.", "not_unique")
            raise ValidationError({"username": [detail]}) from None
        return Response({"id": str(user.pk), "username": user.username}, status=201)


class Confirm(APIView):
    """POST auth/confirm: the code of the mail."""

    authentication_classes = ()
    public = True
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=ConfirmSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Answer 204; one can log in now. 400 for a code that is wrong or too old."""
        slow_down(request, "confirm", REGISTRATIONS_A_MINUTE)
        asked = ConfirmSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if not confirm(**asked.validated_data):
            detail = serializers.ErrorDetail("This code is wrong or too old.", "invalid")
            raise ValidationError({"code": [detail]})
        return Response(status=204)
