"""The memory outside the database: an append-only file that a process of its own keeps.

Whoever takes part writes what it does, one JSON object a message, over a unix socket. A message
that was sent is kept though its sender is killed the next moment: the kernel has it. The keeper
writes what has come and calls fsync once for all of it; `wait=True` returns after that.

    python -m tests.chaos.ledger SOCKET FILE
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.chaos.clock import now
from tests.waiting import wait_until

Record = dict[str, Any]
LARGEST = 1 << 18
_DONE = b"+"


class Ledger:
    """Writes records. Every thread has a connection of its own."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._own = threading.local()

    def write(self, what: str, *, wait: bool = False, **values: Any) -> None:
        """Append a record. wait: return when it is on disk."""
        values.setdefault("t", round(now(), 6))
        record = {"what": what, **values, "wait": True} if wait else {"what": what, **values}
        connection = self._connection()
        connection.send(json.dumps(record).encode())
        if wait and connection.recv(1) != _DONE:
            raise ConnectionError("the ledger ended")

    def _connection(self) -> socket.socket:
        connection: socket.socket | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST * 2)
            connection.connect(self._address)
            self._own.connection = connection
        return connection


def read(path: Path) -> list[Record]:
    """All records, in the order in which they came."""
    return [json.loads(line) for line in path.read_text().splitlines()]


class Tail:
    """Reads what was appended since the last call."""

    def __init__(self, path: Path) -> None:
        self._file = path.open()
        self._half = ""

    def new(self) -> list[Record]:
        """The records that are complete."""
        *lines, self._half = (self._half + self._file.read()).split("\n")
        return [json.loads(line) for line in lines]


@contextmanager
def keeper(folder: Path) -> Iterator[tuple[str, Path]]:
    """Run the process; gives the address of its socket and its file."""
    address, path = str(folder / "ledger.socket"), folder / "ledger.jsonl"
    path.touch()
    process = subprocess.Popen([sys.executable, "-m", __spec__.name, address, str(path)])
    try:
        wait_until(lambda: Path(address).exists(), "the ledger listens", seconds=60)
        yield address, path
    finally:
        process.terminate()
        process.wait(10)


def _keep(address: str, path: Path) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(address)
    listening.listen(256)
    waiting = selectors.DefaultSelector()
    waiting.register(listening, selectors.EVENT_READ)
    while True:
        messages: list[bytes] = []
        answer: list[socket.socket] = []
        for key, _ in waiting.select():
            assert isinstance(key.fileobj, socket.socket)
            if key.fileobj is listening:
                waiting.register(listening.accept()[0], selectors.EVENT_READ)
                continue
            message = _receive(key.fileobj)
            if not message:
                waiting.unregister(key.fileobj)
                key.fileobj.close()
                continue
            messages.append(message)
            if message.endswith(b'"wait": true}'):
                answer.append(key.fileobj)
        if messages:
            os.write(file, b"\n".join([*messages, b""]))
            os.fdatasync(file)
        for writer in answer:
            try:
                writer.send(_DONE)
            except OSError:
                continue  # killed meanwhile


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(LARGEST)
    except OSError:
        return b""


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _keep(sys.argv[1], Path(sys.argv[2]))
