"""AUTHENTICATION_BACKENDS: the one place where passwords and codes are looked at, whichever way
somebody comes in."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.second_factor import is_on, is_right


class CodeWanted(Exception):
    """Name and password are right, and the account has a second factor."""


class PasswordAndCode(ModelBackend):
    """A name and a password, and a code where the account has a second factor."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        otp: str = "",
        **more: Any,
    ) -> User | None:
        """None for whatever is wrong, also the code: that counts as a failure. Raises CodeWanted,
        which does not, and TooManyCodes."""
        user = super().authenticate(request, username, password, **more)
        if not isinstance(user, User) or not is_on(user):
            return user
        if not otp:
            raise CodeWanted
        return user if is_right(user, otp) else None

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        otp: str = "",
        **more: Any,
    ) -> User | None:
        """The same."""
        return await sync_to_async(self.authenticate)(request, username, password, otp, **more)
