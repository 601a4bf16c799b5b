"""The strict JSON reader: what it takes, what it refuses by which name, how long it needs."""

import io
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError, UnsupportedMediaType

from jobs.api.parsers import MAX_DEPTH, PayloadTooLarge, StrictJSONParser, parse_json

CODES = {
    "not_utf8",
    "malformed_json",
    "too_deep",
    "duplicate_key",
    "number_out_of_range",
    "bad_character",
}
BOUNDED = settings(max_examples=200, deadline=None, database=None)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**19)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=30,
)


def code_of(body: bytes) -> str:
    with pytest.raises(ParseError) as caught:
        parse_json(body)
    code = caught.value.get_codes()
    assert isinstance(code, str)
    return code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b"{]", "malformed_json"),
        (b"{'a': 1}", "malformed_json"),
        (b'{"a": 1,}', "malformed_json"),
        (b'{"a": 1} {"a": 1}', "malformed_json"),
        (b'{"a": 1}\0', "malformed_json"),
        (b'{"a": "\0"}', "malformed_json"),
        (b'{"a": "line\nbreak"}', "malformed_json"),
        (b'{"a": "\\x41"}', "malformed_json"),
        (b"NaN", "malformed_json"),
        (b'{"a": NaN}', "malformed_json"),
        (b"[-Infinity]", "malformed_json"),
        (b"[Infinity]", "malformed_json"),
        (b"\xef\xbb\xbf{}", "malformed_json"),
        (b'{"a": "\xff"}', "not_utf8"),
        (b'{"a": "\xed\xa0\x80"}', "not_utf8"),
        ('{"a": 1}'.encode("utf-16"), "not_utf8"),
        ('{"a": 1}'.encode("utf-16-le"), "malformed_json"),
        (b'{"a": 1, "a": 1}', "duplicate_key"),
        (b'{"a": 1, "\\u0061": 2}', "duplicate_key"),
        (b'[{"b": {"a": 1, "c": 2, "a": 3}}]', "duplicate_key"),
        (b"1e999", "number_out_of_range"),
        (b"[-1e999]", "number_out_of_range"),
        (b"1" * 21, "number_out_of_range"),
        (b'{"a": ' + b"9" * 5000 + b"}", "number_out_of_range"),
        (b'{"a": "\\u0000"}', "bad_character"),
        (b'{"\\u0000": 1}', "bad_character"),
        (b'[[{"a": ["x\\u0000y"]}]]', "bad_character"),
        (b'{"a": "\\ud800"}', "bad_character"),
        (b'{"\\udfff": 1}', "bad_character"),
        (b'"\\ude00\\ud83d"', "bad_character"),
        (b"[" * 100_000, "too_deep"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (b'{"a": "x\\\\", "b": ' + b"[" * 40, "too_deep"),
    ],
)
def test_refused_by_name(body: bytes, code: str) -> None:
    assert code_of(body) == code


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b' {"a" : [1, -2.5, true, null, "x"]} \n', {"a": [1, -2.5, True, None, "x"]}),
        (b'"\\ud83c\\udfac"', "\U0001f3ac"),
        ('"日本"'.encode(), "日本"),
        (b"12345678901234567890", 12345678901234567890),
        (b'"\\\\u0000 \\\\ud800"', "\\u0000 \\ud800"),
        (b'{"a": 1, "A": 2}', {"a": 1, "A": 2}),
    ],
)
def test_taken(body: bytes, value: object) -> None:
    assert parse_json(body) == value


def test_depth_is_exact() -> None:
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert code_of(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)) == "too_deep"


@pytest.mark.parametrize("text", ["[" * 100, '"' + "{" * 100, "\\" + "[" * 100, '\\"' + "[" * 100])
def test_brackets_in_strings_do_not_count(text: str) -> None:
    body = json.dumps({text: [text, {"a": text}]}).encode()

    assert parse_json(body) == {text: [text, {"a": text}]}


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_every_ordinary_value_comes_back(ensure_ascii: bool) -> None:
    @BOUNDED
    @given(VALUES)
    def check(value: Any) -> None:
        body = json.dumps(value, ensure_ascii=ensure_ascii).encode()
        try:
            assert parse_json(body) == value
        except ParseError as error:
            assert error.get_codes() == "too_deep"  # noqa: PT017 - hypothesis may nest so deep
            assert depth_of(value) > MAX_DEPTH

    check()


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


@BOUNDED
@given(st.binary(max_size=200) | st.text('[]{}",:\\u0d8e+- 1tnN', max_size=200).map(str.encode))
def test_any_bytes_give_a_value_or_a_named_error(body: bytes) -> None:
    try:
        parse_json(body)
    except ParseError as error:
        assert error.get_codes() in CODES  # noqa: PT017 - either outcome is right


MEGABYTE = 1_048_576


@pytest.mark.parametrize(
    "body",
    [
        b'"\\' * (MEGABYTE // 2),
        b'"' * MEGABYTE,
        b"\\" * MEGABYTE,
        b'"' + b'\\"' * (MEGABYTE // 2 - 1) + b'"',
        b'"' + b"\\\\" * (MEGABYTE // 2 - 1) + b'"',
        b"[" * MEGABYTE,
        b"[" + b"[]," * (MEGABYTE // 3 - 1) + b"[]]",
        b"[" + b'"\\u0000",' * (MEGABYTE // 9 - 1) + b"0]",
        b"{" + b",".join(b'"%x":0' % n for n in range(110_000)) + b"}",
        b"{" + b'"a":0,' * (MEGABYTE // 6 - 1) + b'"a":0}',
        b"1" * MEGABYTE,
        b"0." + b"1" * MEGABYTE,
        b'"' + "é".encode() * (MEGABYTE // 2 - 1) + b'"',
        b"{" + b'"\xf0\x9f\x8e\xac' * (MEGABYTE // 6),
    ],
    ids=lambda body: repr(body[:8]),
)
def test_time_is_in_proportion_to_the_size(body: bytes) -> None:
    """A quadratic step would take minutes. The bound leaves room for a slow machine."""
    started = time.process_time()
    try:
        parse_json(body)
    except ParseError as error:
        assert error.get_codes() in CODES  # noqa: PT017 - either outcome is right
    assert time.process_time() - started < 20


class CountingStream(io.BytesIO):
    """Endless, and says how much was taken."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size > 0, "the whole body was asked for"
        self.taken += size
        return b" " * size


def test_no_more_is_read_than_the_cap() -> None:
    stream = CountingStream()

    with pytest.raises(PayloadTooLarge):
        StrictJSONParser().parse(stream)
    assert stream.taken <= MEGABYTE + 1


def test_body_of_exactly_the_cap_is_read() -> None:
    body = b"[]".ljust(MEGABYTE)

    assert StrictJSONParser().parse(io.BytesIO(body)) == []


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json; charset=utf8",
        "application/json; profile=x",
    ],
)
def test_media_types_that_are_read(media_type: str) -> None:
    assert StrictJSONParser().parse(io.BytesIO(b"{}"), media_type) == {}


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json; charset=utf-16",
        "application/json; charset=utf-7",
        "application/json; charset=idna",
        "application/json; charset=",
        "application/json; charset=latin-1; charset=utf-8",
        "application/json; charset*=utf-16''x",
        "application/*",
        "*/*",
        "text/json",
    ],
)
def test_media_types_that_are_refused(media_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        StrictJSONParser().parse(io.BytesIO(b"{}"), media_type)
