"""Users, and clients that are theirs."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from accounts.models import Account, Token
from accounts.plans import PAID
from accounts.scopes import READ, SUBMIT

PASSWORD = "a long enough passphrase"

ClientOf: TypeAlias = Callable[..., APIClient]


def user_named(name: str, *, plan: str = PAID, **values: bool) -> User:
    """A user with PASSWORD."""
    user = User.objects.create_user(name, f"{name}@example.org", PASSWORD, **values)
    Account.objects.update_or_create(user=user, defaults={"plan": plan})
    return user


@pytest.fixture
def alice(db: None) -> User:
    """Somebody with jobs."""
    return user_named("alice")


@pytest.fixture
def bob(db: None) -> User:
    """Somebody else."""
    return user_named("bob")


@pytest.fixture
def staff(db: None) -> User:
    """Who runs the service."""
    return user_named("staff", is_staff=True)


@pytest.fixture
def client_of() -> ClientOf:
    """`client_of(user, scopes=[...])`: a client with a new token of the user. A failure is an
    answer, not an exception."""

    def client_of(user: User, scopes: Sequence[str] = (SUBMIT, READ)) -> APIClient:
        _, token = Token.objects.create(user, scopes=list(scopes))
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        return client

    return client_of
