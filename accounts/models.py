"""What an account has beside Django's own user, and the tokens that it hands to programs."""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django_otp.plugins.otp_totp.models import TOTPDevice
from knox.models import AbstractAuthToken

from accounts.plans import FREE, PLANS, UNLIMITED, Plan
from accounts.sealed import open_sealed


class Account(models.Model):
    """A user's own values. A user without a row has the defaults."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="account"
    )
    plan = models.CharField(
        max_length=20, default=FREE, db_default=FREE, help_text="A name of accounts/plans.py."
    )
    unconfirmed_since = models.DateTimeField(
        null=True, editable=False, help_text="Registered then, and the address not confirmed yet."
    )

    def __str__(self) -> str:
        return f"{self.user}: {self.plan}"


class Token(AbstractAuthToken):  # type: ignore[misc]  # knox has no types
    """A key to an account. Only its digest is stored: nobody can read it again.

    scopes: what it is for. lives_on: each use prolongs it, as far as settings allow; one that does
    not ends when it was said.
    """

    id = models.UUIDField(default=uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100, blank=True, default="")
    scopes = ArrayField(models.CharField(max_length=10), default=list)
    lives_on = models.BooleanField(default=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-created"]

    def __str__(self) -> str:
        return f"{self.name or 'login'} of {self.user}"


class Session(AbstractBaseSession):
    """A session of a page, with whose it is: so all of one user can be listed and ended."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True)

    @classmethod
    def get_session_store_class(cls) -> Any:
        """Django's hook."""
        from accounts.sessions import SessionStore

        return SessionStore


class App(TOTPDevice):  # type: ignore[misc]  # django-otp has no types
    """An app that shows codes by the clock. Its secret, `key`, is sealed for its user."""

    class Meta:
        proxy = True

    @property
    def bin_key(self) -> bytes:
        """Django-otp's: the secret. Raises Unreadable."""
        return open_sealed(self.key, str(self.user_id))


class RecoveryCode(models.Model):
    """What gets in once, instead of a code of the second factor. Only its digest is stored, without
    salt: it has 150 random bits."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "digest"], name="accounts_one_recovery_code")
        ]

    def __str__(self) -> str:
        return f"of {self.user}"


class Notice(models.Model):
    """A mail to be sent about an account. The job that sends it knows its id alone, so that nothing
    stands in the job for others to read. address: what a stranger typed, who may have no account.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(max_length=30)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True)
    address = models.CharField(max_length=254, blank=True, default="")
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.kind


def plan_of(user: AbstractBaseUser | AnonymousUser | None) -> Plan:
    """The limits of a user. Without an account only the service's limits count."""
    if not isinstance(user, User) or user.is_staff:
        return UNLIMITED
    if "account" not in user._state.fields_cache:  # a token's user brings it along
        return plans_of([user.pk])[user.pk]
    account: Account | None = getattr(user, "account", None)
    return PLANS.get(account.plan if account else FREE, PLANS[FREE])


def plans_of(user_ids: Iterable[int]) -> dict[int, Plan]:
    """The limits of these users, by primary key."""
    rows = User.objects.filter(pk__in=user_ids).values_list("pk", "is_staff", "account__plan")
    return {
        pk: UNLIMITED if is_staff else PLANS.get(plan or FREE, PLANS[FREE])
        for pk, is_staff, plan in rows
    }
