"""The admin's login, which takes the second factor as the API does."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from accounts.api.serializers import LONGEST_CODE
from accounts.backends import CodeWanted
from accounts.second_factor import TooManyCodes, is_lacking


class LoginForm(AdminAuthenticationForm):
    """Name, password and, where the account has a second factor, a code."""

    otp = forms.CharField(
        label="Code of your app, or a recovery code",
        max_length=LONGEST_CODE,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError for whatever is wrong or missing."""
        try:
            user = authenticate(
                self.request,
                username=self.cleaned_data.get("username"),
                password=self.cleaned_data.get("password"),
                otp=self.cleaned_data.get("otp") or "",
            )
        except CodeWanted:
            raise ValidationError("Give a code too.", "otp_required") from None
        except TooManyCodes:
            raise ValidationError("Too many wrong codes. Wait.", "locked") from None
        if user is None:
            raise self.get_invalid_login_error()
        self.confirm_login_allowed(user)
        self.user_cache = user
        # Django keeps the session of a user who logs in again.
        if self.request is not None:
            self.request.session.flush()
        return self.cleaned_data

    def confirm_login_allowed(self, user: User) -> None:
        """Only staff, and with the second factor that SECOND_FACTOR asks for."""
        super().confirm_login_allowed(user)
        if is_lacking(user):
            raise ValidationError(
                "Your account needs a second factor: manage.py second_factor, or POST auth/me/otp.",
                "second_factor_required",
            )
