"""gunicorn's worker class: a thread serves nobody who sends or reads too slowly."""

import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

_SENDFILE_BYTES = 262_144
_LINGER_SECONDS = 2.0


class Pace:
    """What came or went of one request, and how long a thread has waited for it."""

    def __init__(self, patience: float, rate: float) -> None:
        """patience: seconds in any case. rate: bytes for each further one; 0 asks for none."""
        self._patience = patience
        self._rate = rate
        self._waited = 0.0
        self.moved = 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around each wait for the client. Raises ConnectionResetError when he was too slow, which
        gunicorn takes for one who went away."""
        if (self._waited - self._patience) * self._rate > self.moved:
            raise ConnectionResetError(errno.ECONNRESET, "The client is too slow.")
        began = time.monotonic()
        try:
            yield
        except BlockingIOError:  # nothing moved in WEB_SILENCE_SECONDS
            raise ConnectionResetError(errno.ECONNRESET, "The client is silent.") from None
        finally:
            self._waited += time.monotonic() - began


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
        self.received.moved += len(data)
        return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        """socket.socket's."""
        left = memoryview(data).cast("B")
        while left:
            with self.sent.waiting():
                count = self.send(left, flags)
            self.sent.moved += count
            left = left[count:]

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
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
            self.sent.moved += moved
            at += moved
        return at - offset


class PacedWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """ThreadWorker whose connections are paced. `new_pace` is the configuration's."""

    new_pace: Callable[[], Pace]

    def handle(self, conn: Any) -> Any:
        """gunicorn's, of one request; it runs in a thread."""
        if not isinstance(conn.sock, PacedSocket):
            conn.sock = PacedSocket(fileno=conn.sock.detach())
        conn.sock.received, conn.sock.sent = self.new_pace(), self.new_pace()
        kept = super().handle(conn)
        if kept is False:
            _end(conn)
        return kept


def _end(conn: Any) -> None:
    """Say that nothing more is sent and nothing more is read. gunicorn closes the connection then. By
    itself it would wait two seconds for the client to do so, in the one thread that takes new ones.
    """
    # A client that is still sending would lose the answer.
    with suppress(Exception):
        conn.parser.finish_body(deadline=time.monotonic() + _LINGER_SECONDS)
    with suppress(OSError):
        conn.sock.shutdown(socket.SHUT_RDWR)
