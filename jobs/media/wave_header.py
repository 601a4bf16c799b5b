"""How long a WAV file says it is. ffmpeg tells only what is there, so half an upload looks whole.

Source of the format: Microsoft and IBM, Multimedia Programming Interface and Data Specifications.
"""

import os
import struct

_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.Struct("<HHIIHH")
_MOST_CHUNKS = 100
# Programs that write into a pipe cannot know the size and put something near 2 or 4 GiB.
_PLACEHOLDER = 0x7FFF_0000


def promised_seconds(descriptor: int) -> float | None:
    """The length in the header when the file ends before it; None when nothing is missing."""
    size = os.fstat(descriptor).st_size
    bytes_a_second = 0
    position = 12
    for _ in range(_MOST_CHUNKS):
        header = os.pread(descriptor, _CHUNK.size, position)
        if len(header) < _CHUNK.size:
            return None
        name, length = _CHUNK.unpack(header)
        position += _CHUNK.size
        if name == b"fmt ":
            bytes_a_second = _bytes_a_second(os.pread(descriptor, _FORMAT.size, position))
        elif name == b"data":
            missing = size < position + length and length < _PLACEHOLDER
            return length / bytes_a_second if missing and bytes_a_second else None
        position += length + length % 2
    return None


def _bytes_a_second(data: bytes) -> int:
    return int(_FORMAT.unpack(data)[3]) if len(data) == _FORMAT.size else 0
