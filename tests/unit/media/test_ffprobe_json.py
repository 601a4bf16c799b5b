"""What ffprobe 5.1 prints."""

import pytest

from jobs.media.ffprobe_json import parse
from jobs.media.info import MediaInfo, Stream

BUNNY = b"""{
    "programs": [

    ],
    "streams": [
        { "index": 0, "codec_name": "h264", "codec_type": "video", "width": 1280, "height": 720,
          "avg_frame_rate": "25/1", "duration": "5.280000", "disposition": { "attached_pic": 0 } },
        { "index": 1, "codec_name": "aac", "codec_type": "audio", "sample_rate": "48000",
          "channels": 6, "avg_frame_rate": "0/0", "duration": "5.312000",
          "disposition": { "attached_pic": 0 } }
    ],
    "format": { "format_name": "mov,mp4,m4a,3gp,3g2,mj2", "duration": "5.312000" }
}
"""


def test_a_whole_answer() -> None:
    assert parse(BUNNY) == MediaInfo(
        container="mov,mp4,m4a,3gp,3g2,mj2",
        duration=5.312,
        streams=(
            Stream(0, "video", "h264", width=1280, height=720, fps=25.0, duration=5.28),
            Stream(1, "audio", "aac", channels=6, sample_rate=48_000, duration=5.312),
        ),
    )


@pytest.mark.parametrize("text", [b"", b"{\n\n}\n", b'{"programs": [], "streams": [', b"\xff"])
def test_a_file_that_was_not_read(text: bytes) -> None:
    assert parse(text) is None


def test_what_is_not_known_is_none() -> None:
    info = parse(
        b'{"streams": [{"index": 0, "codec_name": "png", "codec_type": "video", "width": 0,'
        b' "height": 0, "avg_frame_rate": "0/0"}, {"index": 1, "codec_type": "data"}],'
        b' "format": {"format_name": "png_pipe", "duration": "N/A"}}'
    )

    assert info == MediaInfo(
        "png_pipe", None, (Stream(0, "video", "png"), Stream(1, "data", "unknown"))
    )


def test_a_cover_picture() -> None:
    info = parse(
        b'{"streams": [{"index": 0, "codec_name": "mjpeg", "codec_type": "video", "width": 64,'
        b' "height": 64, "avg_frame_rate": "90000/1", "disposition": {"attached_pic": 1}}],'
        b' "format": {"format_name": "mp3"}}'
    )

    assert info is not None
    assert info.streams[0].attached_pic
    assert info.video is None
