"""Somebody who is told of his jobs, at a receiver of his own."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from tests.receiver import Receiver, receiver
from webhooks import endpoints
from webhooks.models import Endpoint


@pytest.fixture(autouse=True)
def _private(settings: Settings) -> None:
    """The receivers of tests are on this machine."""
    settings.WEBHOOK_ALLOW_PRIVATE = True


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """A receiver."""
    with receiver() as one:
        yield one


@pytest.fixture
def endpoint(alice: User, hook: Receiver) -> Endpoint:
    """Alice's, of all events."""
    return endpoints.create(alice, 0, url=hook.url)
