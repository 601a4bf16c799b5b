"""Fixtures of all tests: real worker processes, and waiting for a condition."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from jobs.queue.signal import announcer
from jobs.remote.upkeep import upkeep
from tests.accounts import alice, bob, client_of, staff  # noqa: F401 - fixtures
from tests.smtp_server import Mailbox, send_by, smtp_server
from tests.workers import Workers, database_url


@pytest.fixture(scope="session", autouse=True)
def _announcer_closed(django_db_setup: None) -> Iterator[None]:
    """Its connection would keep the test database from being dropped."""
    yield
    announcer.close()


@pytest.fixture(scope="session", autouse=True)
def _no_upkeep() -> Iterator[None]:
    """A test that leases a job in this process has no thread that changes rows under it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upkeep, "begin", lambda: None)
        yield


@pytest.fixture
def media_root(tmp_path: Path, settings: Settings) -> Path:
    """A media store of this test alone."""
    root = tmp_path / "media"
    (root / "sources").mkdir(parents=True)
    (root / "outputs").mkdir()
    settings.MEDIA_ROOT = root
    return root


@pytest.fixture
def workers(transactional_db: None, tmp_path: Path) -> Iterator[Workers]:
    """Starts real worker processes on the test database; none outlives the test."""
    started = Workers(database_url(), tmp_path)
    yield started
    started.kill_all()


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    """Of a real mail server; the test run has put an outbox in memory into EMAIL_BACKEND."""
    with smtp_server() as mailbox:
        send_by(settings, mailbox.port)
        yield mailbox
