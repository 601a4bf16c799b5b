"""As much of PostgreSQL's protocol as it takes to know what a client asks for.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import re
import struct
from collections.abc import Iterator

# What changes rows: a step, a finish, a submission, a rescue, a renewal; and the COMMIT of a COPY.
_WRITES = re.compile(
    rb"\s*(SELECT jobs_(step|complete|finish)|INSERT|UPDATE|COMMIT|WITH )", re.IGNORECASE
)
_LENGTH = struct.Struct("!I")
# ReadyForQuery, with no transaction open: what was asked for is committed.
COMMITTED = b"Z\x00\x00\x00\x05I"
# The same with a transaction open, sound or failed.
IN_TRANSACTION = (b"Z\x00\x00\x00\x05T", b"Z\x00\x00\x00\x05E")


class Messages:
    """Cuts a stream into messages. first: the stream begins with one that has no type."""

    def __init__(self, *, first: bool) -> None:
        self._rest = b""
        self._first = first

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The messages that are complete, as (type, contents)."""
        self._rest += data
        while True:
            offset = 0 if self._first else 1
            if len(self._rest) < offset + 4:
                return
            end = offset + _LENGTH.unpack_from(self._rest, offset)[0]
            if len(self._rest) < end:
                return
            kind, contents = self._rest[:offset], self._rest[offset + 4 : end]
            self._rest = self._rest[end:]
            self._first = False
            yield kind, contents


class Requests:
    """Follows what one client sends, and tells when it asks for something to be written."""

    def __init__(self) -> None:
        self._messages = Messages(first=True)
        self._writing: set[bytes] = set()

    def writes(self, data: bytes) -> bool:
        """Whether with this data a statement that writes is under way."""
        found = False
        for kind, contents in self._messages.feed(data):
            if kind == b"P":  # Parse: the name of the statement, its text
                name, text, _ = contents.split(b"\0", 2)
                self._writing.discard(name)
                if _WRITES.match(text):
                    self._writing.add(name)
            elif kind == b"B":  # Bind: the name of the portal, the name of the statement
                found |= contents.split(b"\0", 2)[1] in self._writing
            elif kind == b"Q":  # a simple query
                found |= bool(_WRITES.match(contents))
        return found
