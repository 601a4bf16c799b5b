"""Items of arrays that come in pieces of any size."""

import json
import tracemalloc
from collections.abc import Iterator

import pytest
from rest_framework.exceptions import ParseError

from jobs.api.json_items import MAX_ITEM, items_of

ROWS = [
    {"source_file": f'vidéo \\" ]}}, {n}.mp4', "n": [1, -2.5, None, True, {"a": "}"}], "": {}}
    for n in range(40)
]


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    """The body, so many bytes at a time."""
    return (body[at : at + size] for at in range(0, len(body), size))


@pytest.mark.parametrize("size", [1, 2, 7, 1_000, 1_000_000])
def test_wherever_it_is_cut_the_items_are_those_of_json(size: int) -> None:
    for text in (
        json.dumps(ROWS),
        json.dumps(ROWS, ensure_ascii=False, indent=3),
        " [ ] ",
        '[1,"",[],{},null,-0.5e3]',
    ):
        assert list(items_of(pieces(text.encode(), size))) == json.loads(text)


@pytest.mark.parametrize("size", [3, 1_000_000])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_a_list"),
        (b'{"a": 1}', "not_a_list"),
        (b"\xef\xbb\xbf[]", "not_a_list"),
        (b"[", "malformed_json"),
        (b"[1", "malformed_json"),
        (b"[1,]", "malformed_json"),
        (b"[,1]", "malformed_json"),
        (b"[1 2]", "malformed_json"),
        (b"[1]]", "malformed_json"),
        (b"[1]\n[2]", "malformed_json"),
        (b"[tru", "malformed_json"),
        (b"[NaN]", "malformed_json"),
        (b"[1, " + b" " * 3 * MAX_ITEM + b"x]", "malformed_json"),
        (b"[1e999]", "number_out_of_range"),
        (b'[{"a": 1, "a": 2}]', "duplicate_key"),
        (b'["\\u0000"]', "bad_character"),
        (b'["\\ud800"]', "bad_character"),
        (b'["\xff"]', "not_utf8"),
        (b'["\xc3', "not_utf8"),
        (b"[" * 40 + b"]" * 40, "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b'["' + b"a" * MAX_ITEM + b'"]', "item_too_long"),
        (b'["' + b"a" * 20 * MAX_ITEM, "item_too_long"),
        (b"[" + b"1" * 20 * MAX_ITEM + b"]", "item_too_long"),
        (b'["' + b'\\"' * MAX_ITEM, "item_too_long"),
    ],
)
def test_what_is_no_array_is_refused_by_its_code(body: bytes, code: str, size: int) -> None:
    with pytest.raises(ParseError) as refused:
        list(items_of(pieces(body, size)))
    assert refused.value.get_codes() == code


def test_the_array_is_never_in_memory() -> None:
    item = b'{"source_file": "' + b"a" * 1_000 + b'"}'
    count = 20_000

    def body() -> Iterator[bytes]:
        yield b"[" + item
        for _ in range(count - 1):
            yield b"," + item
        yield b"]"

    tracemalloc.start()
    try:
        assert sum(1 for _ in items_of(body())) == count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < count * len(item) / 10
