"""Which part of a file is wanted."""

import pytest

from jobs.api.ranges import Part, Unsatisfiable, wanted_part


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-3", Part(0, 4)),
        ("bytes=4-", Part(4, 6)),
        ("bytes=9-9", Part(9, 1)),
        ("bytes=-3", Part(7, 3)),
        ("bytes=-99", Part(0, 10)),
        ("bytes=2-999999999999999999", Part(2, 8)),
        ("bytes= 1 - 2", Part(1, 2)),
        # What is not one range of bytes is the whole.
        ("bytes=0-1,3-4", None),
        ("bytes=3-1", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("lines=1-2", None),
        ("bytes=٣-٤", None),
        ("bytes=" + "9" * 5000 + "-", None),
        ("bytes=1-2-3", None),
    ],
)
def test_parts(header: str | None, part: Part | None) -> None:
    assert wanted_part(header, None, '"e"', 10) == part
    assert wanted_part(header, '"e"', '"e"', 10) == part
    assert wanted_part(header, '"another"', '"e"', 10) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=99-100", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_behind_the_end(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        wanted_part(header, None, '"e"', size)
