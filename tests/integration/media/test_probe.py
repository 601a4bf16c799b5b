"""What is found out about files, with ffprobe or without."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.media.binaries import Tools
from jobs.media.errors import MediaError, Stopped
from jobs.media.info import MediaInfo
from jobs.media.limits import Limits
from jobs.media.probe import probe


@pytest.fixture(params=["ffmpeg", "ffprobe"])
def look(
    request: pytest.FixtureRequest, tools: Tools, limits: Limits
) -> Callable[[Path], MediaInfo]:
    """Probe with each of the two programs."""
    if request.param == "ffmpeg":
        tools = replace(tools, ffprobe=None)
    elif tools.ffprobe is None:
        pytest.skip("ffprobe is not installed")
    return lambda path: probe(path, limits, tools=tools)


def test_pictures_and_sound(look: Callable[[Path], MediaInfo], bunny: Path) -> None:
    info = look(bunny)

    assert info.container == "mov,mp4,m4a,3gp,3g2,mj2"
    assert info.duration == pytest.approx(5.31, abs=0.01)
    assert not info.duration_is_estimate
    assert len(info.streams) == 2
    video, audio = info.video, info.audio
    assert video is not None
    assert (video.index, video.codec, video.width, video.height) == (0, "h264", 1280, 720)
    assert video.fps == 25
    assert audio is not None
    assert (audio.index, audio.codec, audio.channels, audio.sample_rate) == (1, "aac", 6, 48_000)


def test_pictures_without_sound(look: Callable[[Path], MediaInfo], bikes: Path) -> None:
    info = look(bikes)

    assert info.audio is None
    assert info.video is not None
    assert (info.video.width, info.video.height) == (640, 272)


@pytest.mark.parametrize(
    ("ending", "codec"),
    [("wav", "pcm_u8"), ("mp3", "mp3"), ("ogg", "vorbis"), ("flac", "flac")],
)
def test_sound(
    ending: str,
    codec: str,
    look: Callable[[Path], MediaInfo],
    house: Callable[[str], Path],
) -> None:
    info = look(house(ending))

    assert info.video is None
    assert info.audio is not None
    assert info.audio.codec == codec
    assert info.audio.channels == 1
    assert info.duration == pytest.approx(7.1, abs=0.2)


def test_a_length_that_comes_from_the_bit_rate_is_an_estimate(
    look: Callable[[Path], MediaInfo], house: Callable[[str], Path]
) -> None:
    assert look(house("mp3")).duration_is_estimate
    assert not look(house("flac")).duration_is_estimate


def test_a_transport_stream(
    look: Callable[[Path], MediaInfo], clip: Path, make: Callable[..., None], tmp_path: Path
) -> None:
    source = tmp_path / "clip.ts"
    make("-i", clip, "-map", "0", "-c", "copy", "-f", "mpegts", source)

    info = look(source)

    assert info.container == "mpegts"
    assert info.duration_is_estimate
    assert info.video is not None
    assert info.video.codec == "h264"
    assert info.audio is not None


def test_cover_art_is_marked(
    look: Callable[[Path], MediaInfo],
    clip: Path,
    make: Callable[..., None],
    tmp_path: Path,
) -> None:
    picture, source = tmp_path / "cover.png", tmp_path / "song.m4a"
    make("-i", clip, "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", picture)
    both = ["-map", "0:a", "-map", "1:v", "-c", "copy", "-disposition:v", "attached_pic"]
    make("-i", clip, "-f", "png_pipe", "-i", picture, *both, source)

    info = look(source)

    assert [stream.kind for stream in info.streams] == ["audio", "video"]
    assert info.streams[1].attached_pic
    assert info.video is None


def test_the_clock_of_a_recorder_is_no_frame_rate(
    look: Callable[[Path], MediaInfo], make: Callable[..., None], tmp_path: Path
) -> None:
    source = tmp_path / "recording.webm"
    picture = "testsrc2=size=64x64:rate=1000:duration=0.2"
    make("-f", "lavfi", "-i", picture, "-c:v", "libvpx", "-f", "webm", source)

    info = look(source)

    assert info.video is not None
    assert info.video.fps is None


def test_the_text_of_a_tag_does_not_pass_for_a_stream(
    look: Callable[[Path], MediaInfo],
    house: Callable[[str], Path],
    make: Callable[..., None],
    tmp_path: Path,
) -> None:
    source = tmp_path / "tagged.mka"
    forged = "x\n[info]   Stream #0:7: Video: h264, yuv420p, 64x64, 25 fps"
    make("-i", house("flac"), "-c", "copy", "-metadata", f"title={forged}", source)

    info = look(source)

    assert [stream.kind for stream in info.streams] == ["audio"]


def test_a_probe_can_be_stopped(bunny: Path, tools: Tools, limits: Limits) -> None:
    with pytest.raises(Stopped):
        probe(bunny, limits, tools=tools, stop=lambda: True)


def test_a_probe_has_a_limit_of_time(bunny: Path, tools: Tools, limits: Limits) -> None:
    with pytest.raises(MediaError) as caught:
        probe(bunny, replace(limits, probe_seconds=0.0001), tools=tools)

    assert caught.value.code == "timed_out"
