"""New accounts.

With a mail server nobody learns from the answer whether a name or an address is known: only the
mail tells, and only its reader. The work is the same either way.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Account

log = structlog.get_logger(__name__)

_CONFIRM = """Somebody, probably you, registered {username} at this service.

To confirm, POST this to auth/confirm within an hour:

{{"username": "{username}", "code": "{code}"}}
"""
_KNOWN = """Somebody, probably you, registered {username} at this service. Nothing was done: {why}.
"""


class NameTaken(Exception):
    """There is a user of this name."""


def register_by_mail(username: str, email: str, password: str) -> None:
    """Have a mail sent to the address: how to confirm, or why there is no new account."""
    hashed = make_password(password)
    with transaction.atomic():
        _one_at_a_time(email.lower())
        _forget_unconfirmed(username, email)
        if User.objects.filter(email__iexact=email).exists():
            text = _KNOWN.format(username=username, why="this address has an account already")
        elif User.objects.filter(username__iexact=username).exists():
            text = _KNOWN.format(username=username, why="the name is taken, choose another")
        else:
            user = User.objects.create(
                username=username, email=email, password=hashed, is_active=False
            )
            Account.objects.create(user=user, unconfirmed_since=timezone.now())
            code = default_token_generator.make_token(user)
            text = _CONFIRM.format(username=username, code=code)
    send_mail("Your registration", text, settings.DEFAULT_FROM_EMAIL, [email])


def confirm(username: str, code: str) -> bool:
    """Let in who registered and has read the mail. False: the code is wrong or too old."""
    user = User.objects.filter(
        username=username, is_active=False, account__unconfirmed_since__isnull=False
    ).first()
    if user is None or not default_token_generator.check_token(user, code):
        return False
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=True)
        Account.objects.filter(user=user).update(unconfirmed_since=None)
    return True


def register(username: str, password: str) -> User:
    """A new account, at once. Raises NameTaken."""
    try:
        with transaction.atomic():
            _one_at_a_time(username.lower())
            if User.objects.filter(username__iexact=username).exists():
                raise NameTaken
            user = User.objects.create_user(username, password=password)
            Account.objects.create(user=user)
            return user
    except IntegrityError:
        raise NameTaken from None


def _one_at_a_time(key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [key])


def _forget_unconfirmed(username: str, email: str) -> None:
    """Who did not confirm holds his name for an hour, and the address only until it registers
    anew."""
    late = timezone.now() - timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    pending = User.objects.filter(is_active=False, account__unconfirmed_since__isnull=False)
    pending.filter(email__iexact=email).delete()
    pending.filter(username__iexact=username, account__unconfirmed_since__lt=late).delete()
