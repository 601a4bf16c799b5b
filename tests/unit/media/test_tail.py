"""The last lines of what cannot be trusted."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.media.tail import Tail


def test_the_last_lines_are_kept() -> None:
    tail = Tail(lines=2)

    tail.feed(b"one\ntwo\nthree\n")

    assert tail.lines() == ["two", "three"]


def test_a_line_that_is_not_finished_counts() -> None:
    tail = Tail()

    tail.feed(b"one\ntw")

    assert tail.lines() == ["one", "tw"]
    tail.feed(b"o\n")
    assert tail.lines() == ["one", "two"]


def test_what_no_text_may_hold_is_taken_out() -> None:
    tail = Tail()

    tail.feed(b"a\0b\x1b[31mc\xff\xed\xa0\x80d\x07\n")

    (line,) = tail.lines()
    assert line.startswith("ab[31mc")
    assert line.endswith("d")
    line.encode()


def test_carriage_returns_end_lines_and_empty_lines_do_not_count() -> None:
    tail = Tail()

    tail.feed(b"10%\r20%\r\n\n\n30%\n")

    assert tail.lines() == ["10%", "20%", "30%"]


def test_addresses_and_paths_are_hidden() -> None:
    tail = Tail(hidden={"file:/srv/media/outputs/1.mp4": "output"})

    tail.feed(b"[mp4 @ 0x5581f00d] [error] file:/srv/media/outputs/1.mp4: No space left\n")

    assert tail.lines() == ["[mp4] [error] output: No space left"]


@given(st.lists(st.binary(max_size=2000), max_size=20))
def test_whatever_comes_it_stays_small_and_clean(pieces: list[bytes]) -> None:
    tail = Tail(lines=5)

    for piece in pieces:
        tail.feed(piece)

    lines = tail.lines()
    assert len(lines) <= 6
    for line in lines:
        assert len(line.encode()) <= 3 * 400  # a byte that is none of UTF-8 becomes three
        assert "\0" not in line
