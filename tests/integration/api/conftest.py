"""A client that gets what the network would get: a failure is an answer, not an exception."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.fixture
def api() -> Client:
    """Speaks to the whole stack, middleware included."""
    return Client(raise_request_exception=False)


@pytest.fixture(autouse=True)
def _simulating(settings: Settings, media_root: Path) -> None:
    """An empty media store; sources that are not in it are simulated."""
    settings.SIMULATE_MISSING_SOURCES = True
