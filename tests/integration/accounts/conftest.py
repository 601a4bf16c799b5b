"""A client of nobody."""

import pytest
from rest_framework.test import APIClient


@pytest.fixture
def api() -> APIClient:
    """A failure is an answer, not an exception."""
    return APIClient(raise_request_exception=False)
