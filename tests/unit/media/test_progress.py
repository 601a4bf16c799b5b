"""What ffmpeg says about its progress, as it says it."""

import pytest

from jobs.media.progress import Progress

BLOCK = b"""frame=64
fps=42.46
total_size=524336
out_time_us=3818667
out_time_ms=3818667
out_time=00:00:03.818667
speed=2.53x
progress=continue
"""


def test_a_block() -> None:
    progress = Progress(10.0)

    progress.feed(BLOCK)

    assert progress.blocks == 1
    assert progress.seconds == pytest.approx(3.818667)
    assert progress.fraction == pytest.approx(0.3818667)
    assert progress.speed == 2.53


def test_bytes_may_be_split_anywhere() -> None:
    progress = Progress(10.0)

    for position in range(len(BLOCK)):
        progress.feed(BLOCK[position : position + 1])

    assert progress.blocks == 1
    assert progress.seconds == pytest.approx(3.818667)


@pytest.mark.parametrize(
    "value", [b"N/A", b"-9223372036854775807", b"-22000", b"", b"nan", b"inf", b"1e999", b"\xff"]
)
def test_values_that_are_none(value: bytes) -> None:
    progress = Progress(10.0)
    progress.feed(b"out_time_us=2000000\nspeed=1.5x\n")

    progress.feed(b"out_time_us=" + value + b"\nspeed=" + value + b"\nprogress=continue\n")

    assert progress.seconds == 2.0
    assert progress.fraction == 0.2
    assert progress.blocks == 1


def test_it_never_goes_back() -> None:
    progress = Progress(10.0)

    progress.feed(b"out_time_us=5000000\nout_time_us=4000000\n")

    assert progress.fraction == 0.5


@pytest.mark.parametrize("microseconds", [9_999_999, 10_000_000, 10_000_000_000])
def test_it_is_not_complete_before_the_output_is_verified(microseconds: int) -> None:
    progress = Progress(10.0)

    progress.feed(f"out_time_us={microseconds}\nprogress=end\n".encode())

    assert progress.fraction == 0.99


@pytest.mark.parametrize("expected", [None, 0.0])
def test_without_a_duration_there_is_no_fraction(expected: float | None) -> None:
    progress = Progress(expected)

    progress.feed(BLOCK)

    assert progress.fraction is None
    assert progress.seconds == pytest.approx(3.818667)


def test_speed_can_be_unknown() -> None:
    progress = Progress(10.0)
    progress.feed(BLOCK)

    progress.feed(b"speed=N/A\n")

    assert progress.speed is None


def test_a_line_without_end_takes_no_memory() -> None:
    progress = Progress(10.0)

    for _ in range(1000):
        progress.feed(b"x" * 1000)
    progress.feed(b"\n" + BLOCK)

    assert progress.blocks == 1
