"""Files made to do harm are refused with a clear reason, quickly, and nothing of them is left."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.media.binaries import Tools
from jobs.media.errors import MediaError
from jobs.media.limits import MEBIBYTE, Limits
from jobs.media.transcode import transcode
from tests.integration.media import hostile
from tests.integration.media.judge import judge


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


@pytest.fixture
def refused(store: Path, tmp_path: Path, tools: Tools, limits: Limits) -> Callable[..., MediaError]:
    """Transcode what must be refused; nothing of it may be left."""

    def attempt(source: Path, target: str = "mp4", **changes: object) -> MediaError:
        output = tmp_path / "out" / f"1.{target}"
        output.parent.mkdir(exist_ok=True)
        started = time.monotonic()
        with pytest.raises(MediaError) as caught:
            transcode(source, output, target, limits=replace(limits, **changes), tools=tools)  # type: ignore[arg-type]
        assert time.monotonic() - started < 60
        assert list(output.parent.iterdir()) == []
        assert caught.value.permanent
        assert "/dev/fd" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)
        return caught.value

    return attempt


@pytest.mark.parametrize(
    "attack", [hostile.playlist, hostile.manifest, hostile.concat_list], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("target", ["mp4", "mp3"])
def test_lists_do_not_read_other_tenants_media(
    attack: Callable[[Path, Path], Path],
    target: str,
    clip: Path,
    store: Path,
    refused: Callable[..., MediaError],
) -> None:
    victim = store / "victim.mp4"
    victim.write_bytes(clip.read_bytes())

    error = refused(attack(store, victim), target)

    assert error.code == "unreadable_media"


def test_without_the_fence_such_a_list_is_read(clip: Path, store: Path, tools: Tools) -> None:
    victim = store / "victim.mp4"
    victim.write_bytes(clip.read_bytes())

    assert "video" in judge_by_name(tools.ffmpeg, hostile.concat_list(store, victim))


def judge_by_name(ffmpeg: Path, path: Path) -> str:
    reading = [str(ffmpeg), "-v", "error", "-i", str(path)]
    command = [*reading, "-map", "0", "-c", "copy", "-f", "framecrc", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_huge_picture_is_refused_without_unpacking(
    store: Path, refused: Callable[..., MediaError]
) -> None:
    error = refused(hostile.huge_picture(store), "jpg", memory_bytes=600 * MEBIBYTE)

    assert error.code == "too_large"
    assert "more than 40000000 pixels" in error.message  # told by the decoder, before it unpacks


def test_the_same_picture_in_small_is_taken(
    store: Path, tmp_path: Path, tools: Tools, limits: Limits
) -> None:
    output = tmp_path / "output.jpg"

    transcode(hostile.huge_picture(store, side=64), output, "jpg", limits=limits, tools=tools)

    assert judge(tools.ffmpeg, output).size == "64x64"


def test_two_frames_in_ten_hours(
    store: Path, tools: Tools, refused: Callable[..., MediaError]
) -> None:
    error = refused(hostile.two_frames_in_ten_hours(store, tools.ffmpeg), "avi")

    assert error.code == "too_long"


def test_a_file_that_hides_its_length_is_followed_only_to_the_limit(
    make: Callable[..., None], store: Path, refused: Callable[..., MediaError]
) -> None:
    source = store / "live.mkv"
    make("-f", "lavfi", "-i", "sine=duration=30", "-c:a", "flac", "-live", "1", source)

    error = refused(source, "wav", max_duration_seconds=5)

    assert error.code == "too_long"
    assert "7 s" in error.message  # 5 s and the room to notice


@pytest.mark.parametrize("target", ["mp4", "mp3", "flac"])
def test_a_file_without_its_end(
    target: str,
    bunny: Path,
    make: Callable[..., None],
    store: Path,
    refused: Callable[..., MediaError],
) -> None:
    whole, source = store / "whole.mp4", store / "cut.mp4"
    make("-i", bunny, "-map", "0", "-c", "copy", "-movflags", "+faststart", whole)
    source.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    error = refused(source, target)

    assert error.code == "truncated_input"
    assert "of 5.3 s could be read" in error.message


@pytest.mark.parametrize("cut", [16, 4000])
def test_a_file_without_its_beginning(
    cut: int, bunny: Path, store: Path, refused: Callable[..., MediaError]
) -> None:
    source = store / "headless.mp4"
    source.write_bytes(bunny.read_bytes()[cut:])

    assert refused(source).code in {"unreadable_media", "truncated_input"}


def test_an_upload_that_broke_off_before_the_index(
    bunny: Path, make: Callable[..., None], store: Path, refused: Callable[..., MediaError]
) -> None:
    whole, source = store / "whole.mp4", store / "cut.mp4"
    make("-i", bunny, "-map", "0", "-c", "copy", whole)
    source.write_bytes(whole.read_bytes()[:500_000])

    error = refused(source)

    assert error.code == "truncated_input"
    assert "Upload it again" in error.message
    assert "moov atom not found" in error.details


def test_a_header_that_lies_about_the_size(store: Path, refused: Callable[..., MediaError]) -> None:
    error = refused(hostile.wave_with_a_lying_size(store), "mp3")

    assert error.code == "truncated_input"
    assert "Only 1.0 s of 10800.0 s" in error.message


def test_too_many_streams(store: Path, tools: Tools, refused: Callable[..., MediaError]) -> None:
    error = refused(hostile.many_tracks(store, tools.ffmpeg), "mp3")

    assert error.code == "too_many_streams"
    assert "60 streams" in error.message


def test_too_many_frames_a_second(
    make: Callable[..., None], store: Path, refused: Callable[..., MediaError]
) -> None:
    source = store / "fast.mp4"
    make("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=240:duration=0.5", source)

    assert refused(source).code == "frame_rate_too_high"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"\0", "not a media file"),
        (b"GIF89a", "not a media file"),
        (bytes(range(256)) * 400, "not a media file"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>",
            "not a media",
        ),
    ],
)
def test_what_is_no_media(
    content: bytes, message: str, store: Path, refused: Callable[..., MediaError]
) -> None:
    source = store / "file.mp4"
    source.write_bytes(content)

    error = refused(source)

    assert error.code == "unreadable_media"
    assert message in error.message


@pytest.mark.parametrize(
    "name",
    ["-y.mp4", "concat:x", "pipe:0", "a|b.mp4", "%03d.png", "line\nbreak.mp4", "über 日本.mp4"],
)
def test_names_mean_nothing_to_ffmpeg(
    name: str, clip: Path, tmp_path: Path, tools: Tools, limits: Limits
) -> None:
    source = tmp_path / name
    source.write_bytes(clip.read_bytes())
    output = tmp_path / "-n.mp3"

    transcode(source, output, "mp3", limits=limits, tools=tools)

    assert judge(tools.ffmpeg, output).codecs == {"audio": "mp3"}


@pytest.mark.parametrize(
    ("ending", "target", "code"),
    [("wav", "mp4", "no_video_stream"), ("wav", "gif", "no_video_stream")],
)
def test_sound_does_not_become_pictures(
    ending: str,
    target: str,
    code: str,
    house: Callable[[str], Path],
    refused: Callable[..., MediaError],
) -> None:
    error = refused(house(ending), target)

    assert error.code == code
    assert "for example m4a" in error.message


def test_a_silent_video_does_not_become_sound(
    bikes: Path, refused: Callable[..., MediaError]
) -> None:
    error = refused(bikes, "mp3")

    assert error.code == "no_audio_stream"
    assert "has no sound" in error.message


def test_an_unknown_target(clip: Path, refused: Callable[..., MediaError]) -> None:
    error = refused(clip, "exe")

    assert error.code == "unsupported_target"
    assert "mp4" in error.message


def test_a_folder_and_a_missing_file(store: Path, refused: Callable[..., MediaError]) -> None:
    assert refused(store).message == "This is not a file."
    assert refused(store / "absent.mp4").code == "source_missing"
