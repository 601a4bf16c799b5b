"""The last lines of a stream of text from a program that is not trusted."""

import re
from collections import deque
from collections.abc import Mapping

_LINE_BYTES = 400
# Addresses differ from run to run and mean nothing to a reader.
_ADDRESS = re.compile(r" @ 0x[0-9a-f]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Tail:
    """Keeps the last lines of what is fed to it, at most `lines` of 400 bytes each.

    hidden: what to put in place of paths that are no reader's business.
    """

    def __init__(self, lines: int = 20, hidden: Mapping[str, str] | None = None) -> None:
        self._hidden = dict(hidden or {})
        self._lines: deque[str] = deque(maxlen=lines)
        self._open = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes, split anywhere."""
        *complete, rest = data.replace(b"\r", b"\n").split(b"\n")
        for part in complete:
            self._extend(part)
            self._close()
        self._extend(rest)

    def lines(self) -> list[str]:
        """The lines kept: valid text without control characters; an unfinished line counts."""
        kept = [*self._lines, _clean(self._open)] if self._open.strip() else list(self._lines)
        for path, shown in self._hidden.items():
            kept = [line.replace(path, shown) for line in kept]
        return kept

    def _extend(self, part: bytes) -> None:
        self._open += part[: _LINE_BYTES - len(self._open)]

    def _close(self) -> None:
        if self._open.strip():
            self._lines.append(_clean(self._open))
        self._open.clear()


def _clean(line: bytearray) -> str:
    text = _CONTROL.sub("", line.decode("utf-8", errors="replace"))
    return _ADDRESS.sub("", text).rstrip()
