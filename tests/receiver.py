"""Receivers of webhooks: real HTTP servers of a test's own."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from standardwebhooks import Webhook


class Received(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Its webhook-id."""
        return self.headers["webhook-id"]

    def event(self, secret: str) -> dict[str, object]:
        """What it tells, once the library has verified its signature."""
        told: dict[str, object] = Webhook(secret).verify(self.body, self.headers)
        return told


class Receiver:
    """What came, and what it answers: (status, headers, body) of each request to come, then 204.

    when_received: called before it answers.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook"
        self.received: list[Received] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.when_received: Callable[[], object] = lambda: None

    def answer(self, status: int, times: int = 1, body: bytes = b"", **headers: str) -> None:
        """To the next requests."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers += [(status, named, body)] * times


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Serve until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            own.received.append(Received(self.path, headers, body))
            own.when_received()
            status, more, content = own.answers.pop(0) if own.answers else (204, {}, b"")
            with suppress(OSError):  # whoever asked may be dead
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *args: object) -> None:
            """Not into the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    own = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield own
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def read_request(connection: socket.socket) -> None:
    """Until its body `{}`: what is left unread would reset the connection."""
    received = b""
    while not received.endswith(b"{}"):
        received += connection.recv(65_536)


class SilentReceiver:
    """What never answers. received: how many requests came. most: how many of them were under way
    at a time; one that its sender has given up is not."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook"
        self.received = 0
        self.most = 0
        self._held: list[socket.socket] = []

    def hold(self, connection: socket.socket) -> None:
        """A request has come."""
        still = [one for one in self._held if not _is_closed(one)]
        self._held = [*still, connection]
        self.received += 1
        self.most = max(self.most, len(self._held))

    def drop(self) -> None:
        """Close the first one that is under way."""
        with suppress(OSError):  # its sender may have given it up
            self._held[0].shutdown(socket.SHUT_RDWR)


@contextmanager
def silent_receiver() -> Iterator[SilentReceiver]:
    """Until the end of the block."""

    def run() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.recv(1)  # it asks for something
                own.hold(connection)

    listener = socket.create_server(("127.0.0.1", 0))
    own = SilentReceiver(listener.getsockname()[1])
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield own
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _is_closed(connection: socket.socket) -> bool:
    """Whether the other side has closed it; what it had sent before is read."""
    try:
        while connection.recv(65_536, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def raw_server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that does with every connection whatever `serve` says, once the request
    has come."""

    def run() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    read_request(connection)
                    serve(connection)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)
