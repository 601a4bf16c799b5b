"""Roots and servers. Most tests share one root: initdb is most of a first start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaproc import embedded_postgres
from mediaproc.embedded_postgres import Server
from tests.postgres_server import assert_nothing_runs, temporary_root


@pytest.fixture
def new_root() -> Iterator[Path]:
    """A root without data."""
    with temporary_root() as path:
        yield path


@pytest.fixture(scope="package")
def made_root() -> Iterator[Path]:
    """The root that `root` gives out."""
    with temporary_root() as path:
        yield path


@pytest.fixture
def root(made_root: Path) -> Iterator[Path]:
    """A root with the data of the tests before; nothing runs on it."""
    yield made_root
    embedded_postgres.stop(made_root)
    assert_nothing_runs(made_root)


@pytest.fixture
def server(root: Path) -> Iterator[Server]:
    """A running server of `root`."""
    with embedded_postgres.start(root) as started:
        yield started
