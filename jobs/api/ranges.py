"""Which part of a file a request wants (RFC 9110, section 14)."""

import re
from typing import NamedTuple

# More digits than any file's size has are no number to work with.
_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Part(NamedTuple):
    """first: offset of its first byte. length: how many bytes."""

    first: int
    length: int


class Unsatisfiable(Exception):
    """The range begins behind the end of the file."""


def wanted_part(
    range_header: str | None, if_range: str | None, etag: str, size: int
) -> Part | None:
    """The one part that is wanted; None for the whole.

    Several ranges, a unit that is not bytes and what cannot be read are the whole, and so is a part
    of another version than If-Range names. Raises Unsatisfiable.
    """
    if range_header is None or (if_range is not None and if_range != etag):
        return None
    match = _ONE_RANGE.fullmatch(range_header.replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        return _satisfiable(Part(size - length, length), size)
    if last and int(last) < int(first):
        return None
    end = min(int(last) + 1, size) if last else size
    return _satisfiable(Part(int(first), end - int(first)), size)


def _satisfiable(part: Part, size: int) -> Part:
    if part.length <= 0 or part.first >= size:
        raise Unsatisfiable
    return part
