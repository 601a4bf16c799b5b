"""The items of a JSON array of any length, read piece by piece: one at a time is in memory.

Why not by ijson: docs/adr/0024-arrays-item-by-item.md.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from rest_framework.exceptions import ParseError

from jobs.api.parsers import MAX_DEPTH, parse_json

MAX_ITEM = 65_536
# The message of json for a string that goes on behind the end of the text, and how far before that
# end it complains of other things that do.
_UNTERMINATED = "Unterminated string"
_LONGEST_TOKEN = 12
_SPACE = re.compile(r"[ \t\n\r]*")
# Finds where an item ends; what it says is read by parse_json.
_scanner = json.JSONDecoder(parse_int=str, parse_float=str)


def items_of(pieces: Iterable[bytes]) -> Iterator[Any]:
    """Each item as a Python value. Raises ParseError with the codes of parse_json, not_a_list, or
    item_too_long."""
    text = _Text(pieces)
    if text.peek() != "[":
        raise ParseError("Give an array of jobs.", "not_a_list")
    text.step()
    if text.peek() == "]":
        text.step()
    else:
        yield text.item()
        while text.peek() == ",":
            text.step()
            yield text.item()
        if text.peek() != "]":
            text.refuse("a comma or a closing bracket is missing")
        text.step()
    if text.peek():
        text.refuse("something follows the array")


class _Text:
    """What is ahead: more than the longest item, while there is more."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._ahead, self._at, self._ended = "", 0, False
        self._items = 0

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            self._fill()
            match = _SPACE.match(self._ahead, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._ahead) or self._ended:
                return self._ahead[self._at : self._at + 1]

    def step(self) -> None:
        """Over that character."""
        self._at += 1

    def item(self) -> Any:
        """The next item, and over it."""
        self._items += 1
        self.peek()
        self._fill()
        begin, self._at = self._at, self._end()
        try:
            return parse_json(self._ahead[begin : self._at].encode())
        except ParseError as error:
            detail = str(error.detail).replace("The body", f"Item {self._items}", 1)
            raise ParseError(detail, str(error.get_codes())) from None

    def refuse(self, reason: str) -> NoReturn:
        raise ParseError(f"Behind item {self._items}: {reason}.", "malformed_json")

    def _end(self) -> int:
        """Where the item ends that begins here."""
        try:
            _, end = _scanner.raw_decode(self._ahead, self._at)
        except RecursionError:
            raise ParseError(
                f"Item {self._items} is nested more than {MAX_DEPTH} deep.", "too_deep"
            ) from None
        except json.JSONDecodeError as error:
            cut = error.msg.startswith(_UNTERMINATED) or (
                error.pos + _LONGEST_TOKEN > len(self._ahead)
            )
            if self._ended or not cut:
                raise ParseError(
                    f"Item {self._items} is not JSON: {error.msg}.", "malformed_json"
                ) from None
            end = len(self._ahead)
        if end - self._at > MAX_ITEM:
            raise ParseError(
                f"Item {self._items} is longer than {MAX_ITEM} characters.", "item_too_long"
            )
        return end

    def _fill(self) -> None:
        while not self._ended and len(self._ahead) - self._at <= MAX_ITEM:
            piece = next(self._pieces, None)
            try:
                more = self._decoder.decode(piece or b"", final=piece is None)
            except UnicodeDecodeError:
                raise ParseError("The body is not UTF-8.", "not_utf8") from None
            self._ahead, self._at = self._ahead[self._at :] + more, 0
            self._ended = piece is None
