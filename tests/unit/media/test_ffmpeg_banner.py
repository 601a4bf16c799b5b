"""What `ffmpeg -i` prints, from versions 5.1 and 9.0."""

import pytest

from jobs.media.ffmpeg_banner import parse
from jobs.media.info import MediaInfo, Stream

BUNNY = """\
[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'input':
[info]   Metadata:
[info]     major_brand     : isom
[info]   Duration: 00:00:05.31, start: 0.000000, bitrate: 1589 kb/s
[info]   Stream #0:0[0x1](und): Video: h264 (Main) (avc1 / 0x31637661), yuv420p(progressive), \
1280x720 [SAR 1:1 DAR 16:9], 1205 kb/s, 25 fps, 25 tbr, 12800 tbn (default)
[info]     Metadata:
[info]       handler_name    : VideoHandler
[info]   Stream #0:1[0x2](und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, 5.1, fltp, \
384 kb/s (default)
[fatal] At least one output file must be specified
"""


def stream(line: str) -> Stream:
    info = parse(["[info] Input #0, avi, from 'input':", f"[info]   {line}"])
    assert info is not None
    (only,) = info.streams
    return only


def test_a_whole_banner() -> None:
    assert parse(BUNNY.splitlines()) == MediaInfo(
        container="mov,mp4,m4a,3gp,3g2,mj2",
        duration=5.31,
        streams=(
            Stream(0, "video", "h264", width=1280, height=720, fps=25.0),
            Stream(1, "audio", "aac", channels=6, sample_rate=48_000),
        ),
    )


def test_a_file_that_was_not_opened() -> None:
    lines = ["[mov,mp4] [error] moov atom not found", "[error] input: Invalid data found"]

    assert parse(lines) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00:05.31", 5.31), ("10:00:00.04", 36000.04), ("123:00:00.00", 442800.0), ("N/A", None)],
)
def test_durations(text: str, seconds: float | None) -> None:
    info = parse(["[info] Input #0, avi, from 'x':", f"[info]   Duration: {text}, start: 0.0"])

    assert info is not None
    assert info.duration == seconds


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "Stream #0:0: Video: gif, bgra, 480x270 [SAR 64:64 DAR 16:9], 10 fps, 10 tbr, 100 tbn",
            Stream(0, "video", "gif", width=480, height=270, fps=10.0),
        ),
        (
            "Stream #0:0: Video: png, none(pc), 25 fps, 25 tbr, 25 tbn",
            Stream(0, "video", "png", fps=25.0),
        ),
        (
            (
                "Stream #0:0(eng): Video: vp8, yuv420p, 640x480, SAR 1:1 DAR 4:3, 1k fps,"
                " 1k tbr, 1k tbn (default)"
            ),
            Stream(0, "video", "vp8", width=640, height=480, fps=1000.0),
        ),
        (
            (
                "Stream #0:0[0x100]: Video: h264 (High) ([27][0][0][0] / 0x001B), yuv420p, 64x48,"
                " 29.97 fps, 29.97 tbr, 90k tbn"
            ),
            Stream(0, "video", "h264", width=64, height=48, fps=29.97),
        ),
        (
            (
                "Stream #0:1: Video: mjpeg (Baseline), yuvj420p(pc, bt470bg/unknown/unknown), 64x64"
                " [SAR 1:1 DAR 1:1], 90k tbr, 90k tbn (attached pic)"
            ),
            Stream(1, "video", "mjpeg", width=64, height=64, attached_pic=True),
        ),
        (
            "Stream #0:2(it)) x): Subtitle: subrip (srt) (default)",
            Stream(2, "subtitle", "subrip"),
        ),
    ],
)
def test_streams(line: str, expected: Stream) -> None:
    assert stream(line) == expected


@pytest.mark.parametrize(
    ("layout", "channels"),
    [
        ("mono", 1),
        ("stereo", 2),
        ("2.1", 3),
        ("quad", 4),
        ("5.1(side)", 6),
        ("7.1", 8),
        ("5.1.2", 8),
        ("2 channels (FL+FR)", 2),
        ("16 channels", 16),
        ("ambisonic 1", None),
    ],
)
def test_layouts_of_channels(layout: str, channels: int | None) -> None:
    found = stream(f"Stream #0:0: Audio: aac (LC), 48000 Hz, {layout}, fltp, 128 kb/s")

    assert found.channels == channels
    assert found.sample_rate == 48_000


def test_tags_are_not_read() -> None:
    lines = [
        "[info] Input #0, mp3, from 'input':",
        "[info]     title           : Stream #0:3: Video: h264, yuv420p, 64x64",
        "[info]                     :   Stream #0:4: Video: h264, yuv420p, 64x64",
        "[info]     comment         : Duration: 00:00:01.00",
    ]

    info = parse(lines)

    assert info is not None
    assert info.streams == ()
    assert info.duration is None
