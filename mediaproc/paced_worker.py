"""gunicorn's worker class: a thread serves nobody who sends or reads too slowly."""

import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gunicorn.workers.gthread import _DEFER, ThreadWorker  # type: ignore[import-untyped]

_SENDFILE_BYTES = 262_144
_LINGER_SECONDS = 2.0
_FIRST_BYTE_SECONDS = 0.01
# gunicorn would touch its file for every event; the arbiter waits thirty seconds for it.
_ALIVE_SECONDS = 1.0


class Pace:
    """How far one direction of a request is behind the slowest that is allowed."""

    def __init__(self, patience: float, rate: float) -> None:
        """patience: seconds that it may be behind. rate: bytes a second."""
        self._patience = patience
        self._rate = rate
        self._behind = 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around each wait for the client. Raises ConnectionResetError when he is too slow, which
        gunicorn takes for one who went away."""
        if self._behind > self._patience:
            raise ConnectionResetError(errno.ECONNRESET, "The client is too slow.")
        began = time.monotonic()
        try:
            yield
        except BlockingIOError:  # nothing moved in WEB_SILENCE_SECONDS
            raise ConnectionResetError(errno.ECONNRESET, "The client is silent.") from None
        finally:
            self._behind += time.monotonic() - began

    def moved(self, count: int) -> None:
        """So many bytes came or went. Who was quick has no time to spare for it later."""
        self._behind = max(0.0, self._behind - count / self._rate)


class PacedSocket(socket.socket):
    """A connection of a client, which waits as long as `Pace` allows."""

    received: Pace
    sent: Pace

    def recv(self, size: int, flags: int = 0) -> bytes:
        """socket.socket's."""
        if flags:  # somebody looks whether the client is still there
            return super().recv(size, flags)
        with self.received.waiting():
            data = super().recv(size)
        self.received.moved(len(data))
        return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        """socket.socket's."""
        left = memoryview(data).cast("B")
        while left:
            with self.sent.waiting():
                count = self.send(left, flags)
            self.sent.moved(count)
            left = left[count:]

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """socket.socket's, which waits for ever for who reads no more."""
        end = offset + (os.fstat(file.fileno()).st_size - offset if count is None else count)
        at = offset
        while at < end:
            with self.sent.waiting():
                moved = os.sendfile(
                    self.fileno(), file.fileno(), at, min(end - at, _SENDFILE_BYTES)
                )
            if not moved:
                break
            self.sent.moved(moved)
            at += moved
        return at - offset


class PacedWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """ThreadWorker whose connections are paced. `new_pace` is the configuration's."""

    new_pace: Callable[[], Pace]
    _told_at = 0.0

    def notify(self) -> None:
        """gunicorn's: tell the arbiter that this process is alive."""
        now = time.monotonic()
        if now - self._told_at >= _ALIVE_SECONDS:
            self._told_at = now
            super().notify()

    def handle(self, conn: Any) -> Any:
        """gunicorn's, of one request; it runs in a thread."""
        if type(conn.sock) is socket.socket:  # new, and not one of gunicorn's own TLS
            conn.sock = PacedSocket(fileno=conn.sock.detach())
        if isinstance(conn.sock, PacedSocket):
            conn.sock.received, conn.sock.sent = self.new_pace(), self.new_pace()
        # gunicorn has a thread wait five seconds for the first byte.
        if not conn.initialized and not conn.wait_for_data(_FIRST_BYTE_SECONDS):
            return _DEFER
        kept = super().handle(conn)
        if kept is False:
            _end(conn)
        return kept


def _end(conn: Any) -> None:
    """Say that nothing more is sent and nothing more is read, so that gunicorn closes at once: it
    would wait two seconds for the client to do so, in the one thread that takes new connections.
    """
    # A client that is still sending would lose the answer.
    with suppress(Exception):
        conn.parser.finish_body(deadline=time.monotonic() + _LINGER_SECONDS)
    with suppress(OSError):
        conn.sock.shutdown(socket.SHUT_RDWR)
