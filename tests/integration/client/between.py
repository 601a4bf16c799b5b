"""A TCP proxy before the service, which counts statuses and loses answers."""

import contextlib
import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread

_STATUS = re.compile(rb"^HTTP/1\.1 (\d{3}) ", re.MULTILINE)


class Between:
    """What is between a client and the service on `port`."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.statuses: Counter[int] = Counter()
        self._lock = Lock()
        self._left: int | None = None
        self.lost = 0

    def lose_the_next_answer(self, after: int = 0) -> None:
        """The connection ends when so many bytes of the next answer have come through."""
        with self._lock:
            self._left = after

    def serve(self) -> None:
        """Until `close`."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._target)
                Thread(target=self._requests, args=(client, server), daemon=True).start()
                Thread(target=self._answers, args=(client, server), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while said := client.recv(1 << 16):
                server.sendall(said)
        _end(client, server)

    def _answers(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while said := server.recv(1 << 16):
                self.statuses.update(int(status) for status in _STATUS.findall(said))
                through = self._through(len(said))
                client.sendall(said[:through])
                if through < len(said):
                    break
        _end(client, server)

    def _through(self, size: int) -> int:
        """How many of so many bytes come through."""
        with self._lock:
            if self._left is None:
                return size
            if self._left >= size:
                self._left -= size
                return size
            through, self._left = self._left, None
            self.lost += 1
            return through


def _end(*connections: socket.socket) -> None:
    for connection in connections:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def between(port: int) -> Iterator[Between]:
    """A Between that serves."""
    proxy = Between(port)
    Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
