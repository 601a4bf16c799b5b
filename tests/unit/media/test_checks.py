"""What is refused, and when an output counts."""

from dataclasses import replace

import pytest

from jobs.media.checks import check_limits, check_output, check_source, expected_seconds
from jobs.media.errors import MediaError
from jobs.media.info import MediaInfo, Stream
from jobs.media.limits import Limits
from jobs.media.presets import TARGETS, Kind, find_preset

VIDEO = Stream(0, "video", "h264", width=1280, height=720, fps=25.0)
AUDIO = Stream(1, "audio", "aac", channels=2, sample_rate=48_000)
SUBTITLE = Stream(2, "subtitle", "subrip")
COVER = Stream(3, "video", "mjpeg", width=20_000, height=20_000, fps=90_000.0, attached_pic=True)
LIMITS = Limits()
SOUND = [p.name for p in TARGETS.values() if p.kind is Kind.AUDIO]
PICTURES = [p.name for p in TARGETS.values() if p.kind is not Kind.AUDIO]


def media(*streams: Stream, duration: float | None = 100.0, estimate: bool = False) -> MediaInfo:
    return MediaInfo("test", duration, streams, estimate)


def refusal(source: MediaInfo, output: MediaInfo, target: str, *, damaged: bool = False) -> str:
    """The code of the refusal, or ""."""
    try:
        check_output(output, source, find_preset(target), LIMITS, damaged=damaged)
    except MediaError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    ("info", "code"),
    [
        (media(*[AUDIO] * 33), "too_many_streams"),
        (media(AUDIO, duration=4 * 3600 + 1), "too_long"),
        (media(replace(VIDEO, width=8000, height=5001)), "too_large"),
        (media(VIDEO, replace(VIDEO, width=8000, height=5001)), "too_large"),
        (media(replace(VIDEO, fps=120.5)), "frame_rate_too_high"),
    ],
)
def test_each_limit(info: MediaInfo, code: str) -> None:
    with pytest.raises(MediaError) as caught:
        check_limits(info, LIMITS)

    assert caught.value.code == code
    assert caught.value.permanent


@pytest.mark.parametrize(
    "info",
    [
        media(*[AUDIO] * 32),
        media(AUDIO, duration=4 * 3600),
        media(AUDIO, duration=None),
        media(replace(VIDEO, width=8000, height=5000, fps=120.0)),
        media(replace(VIDEO, fps=None)),
        media(AUDIO, COVER),
    ],
)
def test_within_the_limits(info: MediaInfo) -> None:
    check_limits(info, LIMITS)


@pytest.mark.parametrize("target", TARGETS)
def test_neither_pictures_nor_sound(target: str) -> None:
    with pytest.raises(MediaError, match="neither pictures nor sound") as caught:
        check_source(media(SUBTITLE, COVER), find_preset(target))

    assert caught.value.code == "unreadable_media"


@pytest.mark.parametrize("target", PICTURES)
def test_sound_alone_becomes_no_pictures(target: str) -> None:
    with pytest.raises(MediaError, match="example m4a") as caught:
        check_source(media(AUDIO), find_preset(target))
    assert caught.value.code == "no_video_stream"

    with pytest.raises(MediaError, match="only a cover"):
        check_source(media(AUDIO, COVER), find_preset(target))


@pytest.mark.parametrize("target", SOUND)
def test_pictures_alone_become_no_sound(target: str) -> None:
    with pytest.raises(MediaError, match="has no sound") as caught:
        check_source(media(VIDEO), find_preset(target))

    assert caught.value.code == "no_audio_stream"


@pytest.mark.parametrize("target", TARGETS)
def test_both_become_anything(target: str) -> None:
    check_source(media(VIDEO, AUDIO, SUBTITLE), find_preset(target))


@pytest.mark.parametrize(
    ("length", "code"),
    [(100, ""), (98, ""), (97.9, "truncated_input"), (0, "truncated_input"), (150, "")],
)
def test_two_percent_may_be_missing(length: float, code: str) -> None:
    source = media(VIDEO, AUDIO)

    assert refusal(source, media(VIDEO, AUDIO, duration=length), "mp4") == code


@pytest.mark.parametrize(("length", "code"), [(3.0, ""), (2.9, "truncated_input")])
def test_of_short_files_a_second_may_be_missing(length: float, code: str) -> None:
    source = media(VIDEO, AUDIO, duration=4.0)

    assert refusal(source, media(VIDEO, AUDIO, duration=length), "mp4") == code


def test_streams_must_have_arrived() -> None:
    source = media(VIDEO, AUDIO)

    assert refusal(source, media(VIDEO), "mp4") == "encode_failed"
    assert refusal(source, media(AUDIO), "mp4") == "encode_failed"
    assert refusal(source, media(), "mp3") == "encode_failed"
    assert refusal(media(VIDEO), media(VIDEO), "mp4") == ""
    assert refusal(source, media(VIDEO, duration=5), "gif") == ""


def test_the_length_that_counts_is_that_of_the_streams_in_use() -> None:
    source = media(replace(VIDEO, duration=100.0), replace(AUDIO, duration=50.0))

    assert refusal(source, media(AUDIO, duration=50), "mp3") == ""
    assert refusal(source, media(AUDIO, duration=40), "mp3") == "truncated_input"
    assert refusal(source, media(VIDEO, AUDIO, duration=50), "mp4") == "truncated_input"


def test_a_containers_length_may_be_that_of_another_stream() -> None:
    source, half = media(VIDEO, AUDIO), media(AUDIO, duration=50)

    assert refusal(source, half, "mp3") == ""
    assert refusal(source, half, "mp3", damaged=True) == "truncated_input"
    assert refusal(media(AUDIO, COVER), half, "mp3") == "truncated_input"


def test_an_estimate_proves_nothing() -> None:
    source = media(AUDIO, estimate=True)

    assert refusal(source, media(AUDIO, duration=50), "mp3", damaged=True) == ""


def test_what_reaches_the_limit_was_cut() -> None:
    source = media(AUDIO, duration=None)

    assert refusal(source, media(AUDIO, duration=4 * 3600), "mp3") == ""
    assert refusal(source, media(AUDIO, duration=4 * 3600 + 2), "mp3") == "too_long"


@pytest.mark.parametrize(
    ("target", "duration", "seconds"),
    [
        ("mp4", 100.0, 100.0),
        ("mp4", None, None),
        ("gif", 100.0, 5.0),
        ("gif", 2.0, 2.0),
        ("jpg", 2.0, None),
    ],
)
def test_what_is_expected(target: str, duration: float | None, seconds: float | None) -> None:
    assert expected_seconds(media(VIDEO, duration=duration), find_preset(target)) == seconds


def test_a_gif_needs_only_its_own_length() -> None:
    assert refusal(media(VIDEO), media(VIDEO, duration=5), "gif") == ""
    assert refusal(media(VIDEO), media(VIDEO, duration=3), "gif") == "truncated_input"
