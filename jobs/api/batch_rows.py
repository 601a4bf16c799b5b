"""A batch as rows: what each says of its job, or why it cannot be read."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, cast

from rest_framework.exceptions import ParseError

from jobs.api.document import FieldError
from jobs.api.json_items import items_of
from jobs.api.parsers import parse_json

COLUMNS = (
    "job_type", "source_file", "target_format", "parameters", "name", "priority", "max_retries",
    "scheduled_at", "pending_timeout_seconds", "soft_limit_seconds", "hard_limit_seconds",
    "metadata", "callback_url",
)  # fmt: skip
MAX_CELL = 10_000
MAX_LINE = 65_536
_AS_JSON = {"parameters", "metadata"}
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")

# Of the process; nothing else here reads CSV.
csv.field_size_limit(MAX_CELL)


@dataclass(frozen=True, slots=True)
class Row:
    """number: counts from 1, of a table after its header. line: of the file, where the row ends;
    null for JSON. errors: why `values` cannot be read."""

    number: int
    line: int | None
    values: Any
    errors: list[FieldError] = field(default_factory=list)


def json_rows(pieces: Iterable[bytes]) -> Iterator[Row]:
    """The items of an array. Raises ParseError."""
    for number, values in enumerate(items_of(pieces), 1):
        yield Row(number, None, values)


def csv_rows(pieces: Iterable[bytes]) -> Iterator[Row]:
    """The rows of a table in UTF-8, or in UTF-16 that says so. Empty lines are passed over.

    Raises ParseError, with the line, for what makes all further rows doubtful.
    """
    reader = csv.reader(_lines(pieces), strict=True)
    number = 0
    try:
        header = next(reader, [])
        _check_header(header)
        for cells in reader:
            if cells:
                number += 1
                yield _row(number, reader.line_num, header, cells)
    except csv.Error as error:
        raise ParseError(f"Line {reader.line_num}: {error}.", "malformed_csv") from None


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    source = _Source(pieces)
    encoding = "utf-16" if source.begins_with(_BYTE_ORDER_MARKS) else "utf-8-sig"
    with io.TextIOWrapper(cast("IO[bytes]", source), encoding=encoding, newline="") as text:
        number = 0
        while True:
            number += 1
            try:
                line = text.readline(MAX_LINE)
            except UnicodeDecodeError as error:
                at = source.given - len(error.object) + error.start
                raise ParseError(
                    f"The byte at {at} is not {encoding[:6]}.", "bad_encoding"
                ) from None
            if len(line) == MAX_LINE and line[-1] not in "\r\n":
                raise ParseError(f"Line {number} is longer than {MAX_LINE}.", "line_too_long")
            if "\0" in line:
                raise ParseError(f"Line {number} has a NUL character.", "bad_character")
            if not line:
                return
            yield line


class _Source(io.RawIOBase):
    """The pieces as a file; `given`: how many bytes of it were read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = memoryview(next(self._pieces, b""))
        self.given = 0

    def begins_with(self, marks: tuple[bytes, ...]) -> bool:
        return bytes(self._left[:2]).startswith(marks)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        self.given += size
        return size


def _check_header(header: list[str]) -> None:
    known = f"Known columns: {', '.join(COLUMNS)}."
    if len(header) == 1 and ";" in header[0]:
        raise ParseError(
            "The cells of a line are separated by commas, not semicolons.", "bad_header"
        )
    for place, name in enumerate(header):
        if name not in COLUMNS:
            raise ParseError(f"There is no column {name[:100]!r}. {known}", "bad_header")
        if name in header[:place]:
            raise ParseError(f"The column {name!r} is there twice.", "bad_header")
    if not header:
        raise ParseError(f"The first line names the columns. {known}", "bad_header")


def _row(number: int, line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        detail = f"The row has {len(cells)} cells, the header {len(header)}."
        return Row(number, line, None, [FieldError(field=None, code="ragged_row", detail=detail)])
    values: dict[str, Any] = {}
    errors = []
    for name, cell in zip(header, cells, strict=True):
        if name in _AS_JSON and cell:
            try:
                values[name] = parse_json(cell.encode())
            except ParseError as error:
                detail = str(error.detail).replace("The body", "The cell", 1)
                errors.append(FieldError(field=name, code=str(error.get_codes()), detail=detail))
        elif name == "priority" and cell.isascii() and cell.isdigit():
            values[name] = int(cell[:5])
        elif cell:  # an empty one says nothing
            values[name] = cell
    return Row(number, line, values, errors)
