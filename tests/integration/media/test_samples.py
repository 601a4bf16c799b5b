"""The two files to try the service with."""

from io import StringIO
from pathlib import Path

from django.core.management import call_command

from jobs.media.binaries import Tools
from jobs.media.samples import make_samples
from tests.integration.media.judge import judge


def test_they_are_made_once_and_whole(media_root: Path, tools: Tools) -> None:
    sources = media_root / "sources"
    told = StringIO()

    call_command("make_samples", stdout=told)

    video, audio = sources / "video.mp4", sources / "audio.wav"
    assert sorted(path.name for path in sources.iterdir()) == ["audio.wav", "video.mp4"]
    assert str(video) in told.getvalue()
    seen = judge(tools.ffmpeg, video)
    assert seen.codecs == {"video": "h264", "audio": "aac"}
    assert seen.size == "640x360"
    assert seen.frames["video"] == 100
    assert judge(tools.ffmpeg, audio).codecs == {"audio": "pcm_s16le"}

    before = [path.stat().st_mtime_ns for path in (video, audio)]
    again = StringIO()
    call_command("make_samples", stdout=again)
    assert again.getvalue() == ""
    assert [path.stat().st_mtime_ns for path in (video, audio)] == before


def test_only_what_is_missing_is_made(tmp_path: Path, tools: Tools) -> None:
    (tmp_path / "video.mp4").write_bytes(b"the user's own")

    assert make_samples(tmp_path, tools=tools) == [tmp_path / "audio.wav"]
    assert (tmp_path / "video.mp4").read_bytes() == b"the user's own"
