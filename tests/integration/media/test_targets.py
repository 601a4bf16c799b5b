"""Every target, from real media, as an independent decoder sees it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.media.binaries import Tools
from jobs.media.limits import Limits
from jobs.media.presets import TARGETS, Kind
from jobs.media.transcode import transcode
from tests.integration.media.judge import MAGIC, judge

CODECS: dict[str, dict[str, str]] = {
    "mp4": {"video": "h264", "audio": "aac"},
    "mov": {"video": "h264", "audio": "aac"},
    "mkv": {"video": "h264", "audio": "aac"},
    "webm": {"video": "vp9", "audio": "opus"},
    "avi": {"video": "mpeg4", "audio": "mp3"},
    "mp3": {"audio": "mp3"},
    "wav": {"audio": "pcm_s16le"},
    "flac": {"audio": "flac"},
    "m4a": {"audio": "aac"},
    "ogg": {"audio": "opus"},
    "gif": {"video": "gif"},
    "jpg": {"video": "mjpeg"},
}
SOUND = [preset.name for preset in TARGETS.values() if preset.kind is Kind.AUDIO]
# Encoders of sound fill up their last block.
CLOSE = pytest.approx(1.0, abs=0.12)


def test_the_table_of_expectations_is_complete() -> None:
    assert set(CODECS) == set(MAGIC) == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_video_with_sound_becomes(
    target: str, clip: Path, tmp_path: Path, tools: Tools, limits: Limits
) -> None:
    output = tmp_path / f"output.{target}"

    done = transcode(clip, output, target, limits=limits, tools=tools)

    seen = judge(tools.ffmpeg, output)
    assert MAGIC[target](output.read_bytes()[:4096])
    assert seen.codecs == CODECS[target]
    if target == "jpg":
        assert seen.frames == {"video": 1}
    else:
        assert all(seconds == CLOSE for seconds in seen.seconds.values())
    if "video" in seen.codecs:
        assert seen.size == ("480x270" if target == "gif" else "1280x720")
    assert done.size_bytes == output.stat().st_size
    assert {stream.kind: stream.codec for stream in done.info.streams} == CODECS[target]
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


@pytest.mark.parametrize(
    ("ending", "target"),
    [*(("wav", target) for target in SOUND), ("mp3", "flac"), ("ogg", "mp3"), ("flac", "ogg")],
)
def test_sound_becomes(
    ending: str,
    target: str,
    house: Callable[[str], Path],
    tmp_path: Path,
    tools: Tools,
    limits: Limits,
) -> None:
    output = tmp_path / "output"

    transcode(house(ending), output, target, limits=limits, tools=tools)

    seen = judge(tools.ffmpeg, output)
    assert seen.codecs == CODECS[target]
    assert seen.seconds["audio"] == pytest.approx(7.1, abs=0.2)


def test_a_silent_video_stays_silent(
    bikes: Path, tmp_path: Path, tools: Tools, limits: Limits
) -> None:
    output = tmp_path / "output.mp4"

    transcode(bikes, output, "MP4", limits=limits, tools=tools)

    seen = judge(tools.ffmpeg, output)
    assert seen.codecs == {"video": "h264"}
    assert seen.size == "640x272"
    assert seen.seconds["video"] == pytest.approx(10.0, abs=0.1)


@pytest.mark.parametrize(
    ("size", "target", "expected"),
    [
        ("321x181", "mp4", "320x180"),
        ("321x181", "webm", "320x180"),
        ("321x181", "avi", "320x180"),
        ("1x3", "mp4", "2x2"),
        ("321x181", "jpg", "321x181"),
        ("321x181", "gif", "321x182"),
        ("2560x1440", "jpg", "1280x720"),
    ],
)
def test_sizes_become_even_and_never_larger(
    size: str,
    target: str,
    expected: str,
    make: Callable[..., None],
    tmp_path: Path,
    tools: Tools,
    limits: Limits,
) -> None:
    source = tmp_path / "odd.mkv"
    make("-f", "lavfi", "-i", f"testsrc=size={size}:duration=0.2", "-c:v", "png", source)
    output = tmp_path / "output"

    transcode(source, output, target, limits=limits, tools=tools)

    assert judge(tools.ffmpeg, output).size == expected


@pytest.mark.parametrize("target", ["gif", "jpg"])
def test_only_the_beginning_is_used(
    target: str, bikes: Path, tmp_path: Path, tools: Tools, limits: Limits
) -> None:
    output = tmp_path / "output"

    transcode(bikes, output, target, limits=limits, tools=tools)

    assert judge(tools.ffmpeg, output).frames["video"] == {"gif": 50, "jpg": 1}[target]


def test_a_picture_becomes_another_and_the_name_plays_no_part(
    make: Callable[..., None], tmp_path: Path, tools: Tools, limits: Limits
) -> None:
    source = tmp_path / "picture%d.png"
    make("-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "1", "-f", "image2pipe", source)
    output = tmp_path / "output%d.jpg"

    done = transcode(source, output, "jpeg", limits=limits, tools=tools)

    assert done.info.duration is None
    assert judge(tools.ffmpeg, output).size == "64x48"


def test_cover_art_is_no_video(
    house: Callable[[str], Path],
    make: Callable[..., None],
    tmp_path: Path,
    tools: Tools,
    limits: Limits,
) -> None:
    picture, source = tmp_path / "cover.png", tmp_path / "song.mp3"
    make("-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", "1", "-f", "image2pipe", picture)
    both = ["-map", "0:a", "-map", "1:v", "-c", "copy", "-disposition:v", "attached_pic"]
    make("-i", house("mp3"), "-f", "png_pipe", "-i", picture, *both, source)
    output = tmp_path / "output.m4a"

    transcode(source, output, "m4a", limits=limits, tools=tools)

    assert judge(tools.ffmpeg, output).codecs == {"audio": "aac"}


def test_what_the_source_says_about_itself_is_not_passed_on(
    clip: Path, make: Callable[..., None], tmp_path: Path, tools: Tools, limits: Limits
) -> None:
    source, output = tmp_path / "tagged.mkv", tmp_path / "output.mkv"
    make("-i", clip, "-c", "copy", "-metadata", "title=somewhere private", source)
    assert b"somewhere private" in source.read_bytes()

    transcode(source, output, "mkv", limits=limits, tools=tools)

    assert b"somewhere private" not in output.read_bytes()
