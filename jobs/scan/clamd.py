"""Ask clamd about a file by its command INSTREAM. Why without a library: ADR 25.

The file is sent in chunks, so clamd needs no access to the store. Each chunk follows its length as
four bytes, an empty one is the end, and then comes the answer (clamd(8)). Whatever is not exactly
the answer for a clean file, after the whole file was sent, is none.
"""

import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from jobs.scan.address import Address
from jobs.scan.errors import MalwareFound, ScanUnavailable, Stopped, Unreachable

CHUNK = 262_144
TICK_MILLISECONDS = 100
LONGEST_ANSWER = 1024
# libclamav reads no larger file, and calls it clean unless it is told to alert.
LARGEST = 2**31 - 3
# With AlertExceedsMax it says so of what it did not read to its end.
LIMITS = "Heuristics.Limits.Exceeded"

Stop = Callable[[], bool]


def scan(address: Address, file: BinaryIO, *, seconds: float, stop: Stop) -> None:
    """Return when the file, from where it stands, holds nothing that clamd knows.

    seconds: the longest that it may take. stop: asked about every 100 ms.
    Raises MalwareFound, ScanUnavailable (Unreachable where clamd is not there), Stopped.
    """
    if os.fstat(file.fileno()).st_size > LARGEST:
        raise ScanUnavailable("It is larger than 2 GiB, of which ClamAV reads no file.")
    try:
        with address.connect() as connection:
            talk = _Talk(connection, time.monotonic() + seconds, stop)
            whole = all(talk.say(part) for part in _stream(file))
            answer = talk.answer()
    except OSError as error:
        raise Unreachable(f"The scanner does not serve: {error.strerror or error}.") from error
    _judge(answer, whole)


def _stream(file: BinaryIO) -> Iterator[bytes]:
    yield b"zINSTREAM\0"
    while chunk := file.read(CHUNK):
        yield struct.pack("!L", len(chunk)) + chunk
    yield struct.pack("!L", 0)


def _judge(answer: str, whole: bool) -> None:
    """whole: whether the answer came after the whole file."""
    if answer == "stream: OK" and whole:
        return
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        signature = answer.removeprefix("stream: ").removesuffix(" FOUND")
        if not signature.startswith(LIMITS):
            raise MalwareFound(signature)
    raise ScanUnavailable(f"The scanner did not read it to its end and says {answer!r}.")


class _Talk:
    """One connection. It never waits longer than a tick without asking whether to go on."""

    def __init__(self, connection: socket.socket, deadline: float, stop: Stop) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._poll = select.poll()
        self._deadline = deadline
        self._stop = stop

    def say(self, data: bytes) -> bool:
        """Send all of it. False when clamd has something to say before, or hangs up."""
        left = memoryview(data)
        while left:
            if self._ready(select.POLLIN | select.POLLOUT) != select.POLLOUT:
                return False
            left = left[self._socket.send(left) :]
        return True

    def answer(self) -> str:
        """What it says up to the NUL, in printable characters."""
        said = b""
        while b"\0" not in said:
            self._ready(select.POLLIN)
            part = self._socket.recv(LONGEST_ANSWER)
            said += part
            if not part:
                raise Unreachable("The scanner hung up without an answer.")
            if len(said) > LONGEST_ANSWER:
                raise ScanUnavailable("The scanner's answer has no end: is it a clamd?")
        text = said.partition(b"\0")[0].decode("ascii", "replace")
        return "".join(character if character.isprintable() else "?" for character in text)

    def _ready(self, events: int) -> int:
        self._poll.register(self._socket, events)
        while True:
            if self._stop():
                raise Stopped
            if time.monotonic() > self._deadline:
                raise ScanUnavailable("The scanner took longer than SCANNER_TIMEOUT.")
            for _, ready in self._poll.poll(TICK_MILLISECONDS):
                return ready
