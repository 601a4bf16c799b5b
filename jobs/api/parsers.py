"""JSON as this API takes it: stricter than Python's reader, and with bounds on time and memory."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from itertools import accumulate
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

MAX_DEPTH = 32
MAX_INTEGER_CHARACTERS = 20
MAX_SHOWN = 100

_BRACKETS = b"[]{}"
_NOT_BRACKETS = bytes(set(range(256)) - set(_BRACKETS))
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


class PayloadTooLarge(APIException):
    """The body is over DATA_UPLOAD_MAX_MEMORY_SIZE."""

    status_code = 413
    default_code = "body_too_large"


class StrictJSONParser(BaseParser):
    """Reads `application/json` in UTF-8.

    Raises PayloadTooLarge, UnsupportedMediaType, or ParseError whose code says which rule was
    broken: not_utf8, malformed_json, too_deep, duplicate_key, number_out_of_range, bad_character.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body as Python values."""
        _check_media_type(media_type or self.media_type)
        return parse_json(_read(stream))


def parse_json(body: bytes) -> Any:
    """Read one JSON text. Raises ParseError."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8.", "not_utf8") from None
    if _depth(body) > MAX_DEPTH:
        raise ParseError(f"The body is nested more than {MAX_DEPTH} deep.", "too_deep")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise ParseError(
            f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).",
            "malformed_json",
        ) from None
    _check_characters(value)
    return value


def _check_media_type(media_type: str) -> None:
    """REST framework also matches wildcards here, and any charset."""
    kind, *parameters = (part.strip().lower() for part in media_type.split(";"))
    charsets = {
        part.partition("=")[2].strip('"') for part in parameters if part.startswith("charset")
    }
    if kind != StrictJSONParser.media_type or charsets - {"utf-8", "utf8"}:
        raise UnsupportedMediaType(media_type, "Send application/json in UTF-8.")


def _read(stream: IO[Any]) -> bytes:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body: bytes = stream.read(most + 1)
    if len(body) > most:
        raise PayloadTooLarge(f"The body is larger than {most} bytes.")
    return body


def _depth(body: bytes) -> int:
    """How deep brackets are nested outside of strings.

    Strings are cut out by replace and split, which take time in proportion to the body; a regular
    expression that matches whole strings does not.
    """
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside = b"".join(unescaped.split(b'"')[::2])
    brackets = outside.translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ParseError(f"The key {key[:MAX_SHOWN]!r} is given twice.", "duplicate_key")
    return found


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_CHARACTERS:
        _refuse_number()
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        _refuse_number()
    return value


def _constant(text: str) -> NoReturn:
    raise ParseError(f"{text} is not JSON.", "malformed_json")


def _refuse_number() -> NoReturn:
    raise ParseError(
        "The body holds a number that is too large or too long.", "number_out_of_range"
    )


def _check_characters(value: Any) -> None:
    """Escapes can spell what PostgreSQL cannot store: NUL, and halves of surrogate pairs."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str):
            _check_string(item)


def _check_string(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ParseError("A string of the body has a lone surrogate.", "bad_character") from None
    if "\0" in text:
        raise ParseError("A string of the body has a NUL character.", "bad_character")
