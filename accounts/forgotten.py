"""A forgotten password: a code by mail, which is used once, sets a new one."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction


class _Codes(PasswordResetTokenGenerator):
    """Of this purpose alone: a code that confirms a registration is none."""

    key_salt = "accounts.forgotten"


def who_has(address: str) -> list[User]:
    """The accounts that a code may be sent for. It goes to the address that they have, which may be
    spelled otherwise."""
    users = User.objects.filter(email__iexact=address, is_active=True).exclude(email="")
    return [user for user in users if user.has_usable_password()]


def code_for(user: User) -> str:
    """It ends after PASSWORD_RESET_TIMEOUT, with the next login, and with a new password."""
    return _Codes().make_token(user)


def set_password(username: str, code: str, password: str, check: Callable[[User], object]) -> bool:
    """False: the code is wrong, too old or used. `check` may refuse the password for this user."""
    with transaction.atomic():
        user = (
            User.objects.select_for_update()
            .filter(username=User.normalize_username(username), is_active=True)
            .first()
        )
        if user is None or not _Codes().check_token(user, code):
            return False
        check(user)
        user.set_password(password)
        user.save(update_fields=["password"])
    return True
