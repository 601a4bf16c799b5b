"""A scanner, or what passes itself off as one."""

import importlib.util
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from tests.clamd_server import ClamdServer


@pytest.fixture
def clamd() -> Iterator[ClamdServer]:
    """A clamd that runs."""
    with tempfile.TemporaryDirectory() as folder:
        server = ClamdServer(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def clamd_of_flac() -> Iterator[ClamdServer]:
    """To which every FLAC is malware."""
    with tempfile.TemporaryDirectory() as folder:
        server = ClamdServer(Path(folder), b"fLaC")
        server.start()
        yield server
        server.stop()


@pytest.fixture
def house_wav() -> Path:
    """Sound of seven seconds, of a package that is not imported."""
    spec = importlib.util.find_spec("pygame")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "examples/data/house_lo.wav"


@contextmanager
def listening(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """SCANNER of a server that treats each connection so."""

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return  # closed
            with connection:
                behave(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"clamd://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def silent() -> Iterator[str]:
    """SCANNER of a server that takes all and never answers."""

    def swallow(connection: socket.socket) -> None:
        while connection.recv(65_536):
            pass

    with listening(swallow) as address:
        yield address
