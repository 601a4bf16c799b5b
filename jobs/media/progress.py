"""Read what `ffmpeg -progress` writes: lines of key=value, a block ends with `progress=`."""

import math

_LINE_BYTES = 1000
# The end is told only when the output has been verified.
_ALMOST = 0.99


class Progress:
    """How far an encode is.

    seconds: of output written, never going back. speed: times real time, None when unknown.
    blocks: how many blocks were read.
    """

    def __init__(self, expected_seconds: float | None) -> None:
        self.seconds = 0.0
        self.speed: float | None = None
        self.blocks = 0
        self._expected = expected_seconds
        self._open = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes, split anywhere."""
        *complete, rest = (self._open + data).split(b"\n")
        self._open = rest[:_LINE_BYTES]
        for line in complete:
            key, _, value = line.decode("ascii", errors="replace").partition("=")
            self._read(key.strip(), value.strip())

    @property
    def fraction(self) -> float | None:
        """0.0-0.99 of what is expected; None when no duration is known."""
        if not self._expected:
            return None
        return min(self.seconds / self._expected, _ALMOST)

    def _read(self, key: str, value: str) -> None:
        match key:
            case "out_time_us":
                # N/A before the first packet; some versions give the smallest integer instead.
                microseconds = _number(value)
                if microseconds is not None:
                    self.seconds = max(self.seconds, microseconds / 1_000_000)
            case "speed":
                self.speed = _number(value.removesuffix("x"))
            case "progress":
                self.blocks += 1


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
