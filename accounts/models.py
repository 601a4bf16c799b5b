"""What an account has beside Django's own user, and the tokens that it hands to programs."""

from collections.abc import Iterable
from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.contrib.postgres.fields import ArrayField
from django.db import models
from knox.models import AbstractAuthToken

from accounts.plans import FREE, PLANS, UNLIMITED, Plan


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
