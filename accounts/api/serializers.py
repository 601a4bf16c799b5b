"""The shapes of auth/."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers

from accounts.models import Token
from accounts.scopes import SCOPES
from jobs.api.fields import Moment, SomeOfField, StrictSerializer, TextField

LONGEST_PASSWORD = 4096
LONGEST_CODE = 100
MOST_TOKEN_DAYS = 366


class PasswordField(TextField):
    """Any text, also with spaces around it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_PASSWORD, write_only=True, **options)


class CodeField(TextField):
    """Six digits of an app, or a recovery code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_CODE, write_only=True, **options)


class ScopesField(SomeOfField):
    """At least one of SCOPES."""

    def __init__(self, **options: Any) -> None:
        super().__init__(list(SCOPES), allow_empty=False, min_length=1, **options)


class CredentialsSerializer(StrictSerializer):
    """Who one is."""

    username = TextField(max_length=150)
    password = PasswordField()
    otp = CodeField(default="", allow_blank=True)


class LoginSerializer(CredentialsSerializer):
    """The body of login. Without scopes the token is for submitting and reading jobs."""

    name = TextField(max_length=100, default="", allow_blank=True)
    scopes = ScopesField(default=["submit", "read"])


class NewPasswordSerializer(StrictSerializer):
    """The body of me/password."""

    current_password = PasswordField()
    new_password = PasswordField()
    otp = CodeField(default="", allow_blank=True)

    def validate_new_password(self, value: str) -> str:
        """`context` has the user."""
        return checked_password(value, self.context["user"])


class ProofSerializer(StrictSerializer):
    """That it is still the user, for what changes how he gets in."""

    password = PasswordField()
    otp = CodeField(default="", allow_blank=True)


class CodeSerializer(StrictSerializer):
    """The body of me/otp/confirm."""

    otp = CodeField()


class AddressSerializer(StrictSerializer):
    """The body of password/reset."""

    email = serializers.EmailField(max_length=254)


class ForgottenSerializer(StrictSerializer):
    """The body of password/reset/confirm."""

    username = TextField(max_length=150)
    code = CodeField()
    new_password = PasswordField()


class NewTokenSerializer(StrictSerializer):
    """The body of me/tokens."""

    name = TextField(max_length=100)
    scopes = ScopesField()
    days = serializers.IntegerField(min_value=1, max_value=MOST_TOKEN_DAYS, default=90)


class TokenSerializer(serializers.Serializer[Token]):
    """A token as its owner sees it: without its secret, which nobody has."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    created = Moment()
    expiry = Moment(allow_null=True)
    last_used_at = Moment(allow_null=True)


def checked_password(password: str, user: User) -> str:
    """The password. Raises ValidationError for one that is too short, common or like the user."""
    try:
        validate_password(password, user)
    except DjangoValidationError as error:
        details = [
            serializers.ErrorDetail(" ".join(one.messages), one.code or "invalid")
            for one in error.error_list
        ]
        raise serializers.ValidationError(details) from None
    return password


def check_scopes(scopes: list[str], held: Iterable[str]) -> None:
    """Raise ValidationError for a scope that is not held: no token has more than its maker."""
    if missing := set(scopes).difference(held):
        text = f"This takes more than you have: {', '.join(sorted(missing))}."
        detail = serializers.ErrorDetail(text, "not_allowed")
        raise serializers.ValidationError({"scopes": [detail]})
