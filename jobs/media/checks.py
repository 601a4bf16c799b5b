"""Refuse a source before any work, and an output that is not what was asked for."""

from jobs.media.errors import MediaError
from jobs.media.info import MediaInfo, Stream
from jobs.media.limits import Limits
from jobs.media.presets import Kind, Preset

_TOLERANCE_SECONDS = 1.0
_TOLERANCE_SHARE = 0.02


def check_limits(info: MediaInfo, limits: Limits) -> None:
    """Raise MediaError when the file is more than one job may cost.

    `too_many_streams`, `too_long`, `too_large` or `frame_rate_too_high`.
    """
    if len(info.streams) > limits.max_streams:
        raise MediaError(
            "too_many_streams",
            f"The file has {len(info.streams)} streams; {limits.max_streams} are allowed.",
        )
    if info.duration and info.duration > limits.max_duration_seconds:
        raise _too_long(info.duration, limits)
    for stream in info.streams:
        if stream.kind == "video" and not stream.attached_pic:
            _check_video(stream, limits)


def check_source(info: MediaInfo, preset: Preset) -> None:
    """Raise MediaError when the file lacks what the target is made from.

    `unreadable_media`, `no_video_stream` or `no_audio_stream`.
    """
    if not info.video and not info.audio:
        raise MediaError("unreadable_media", "The file has neither pictures nor sound.")
    if preset.kind is Kind.AUDIO and not info.audio:
        raise MediaError(
            "no_audio_stream", f"The file has no sound, so it cannot become {preset.name}."
        )
    if preset.kind is not Kind.AUDIO and not info.video:
        cover = " (its picture is only a cover)" if len(info.streams) > 1 else ""
        raise MediaError(
            "no_video_stream",
            f"The file has sound only{cover}, so it cannot become {preset.name}."
            " Choose an audio target, for example m4a.",
        )


def check_output(
    output: MediaInfo, source: MediaInfo, preset: Preset, limits: Limits, *, damaged: bool
) -> None:
    """Raise MediaError when streams are missing, or the output is too short or too long.

    ffmpeg's status is 0 as well when a source ends too early, so this is what tells success.
    An output may be longer than its source said: a header can be wrong, and nothing is missing.
    damaged: whether ffmpeg complained that the source is not complete.
    `encode_failed`, `truncated_input` or `too_long`.
    """
    wants_video = preset.kind is not Kind.AUDIO
    wants_audio = preset.kind is Kind.AUDIO or (preset.kind is Kind.VIDEO and bool(source.audio))
    if (wants_video and not output.video) or (wants_audio and not output.audio):
        raise MediaError("encode_failed", "The output lacks its pictures or its sound.")
    if preset.kind is Kind.IMAGE:
        return
    length = output.duration or 0.0
    expected = _certain_seconds(source, preset, damaged=damaged)
    if expected and length < expected - max(_TOLERANCE_SECONDS, expected * _TOLERANCE_SHARE):
        raise MediaError(
            "truncated_input",
            f"Only {length:.1f} s of {expected:.1f} s could be read: the file is damaged or not"
            " complete. Upload it again.",
        )
    if length > limits.max_duration_seconds + _TOLERANCE_SECONDS:
        raise _too_long(length, limits)


def expected_seconds(source: MediaInfo, preset: Preset) -> float | None:
    """About how long the output will be; None when nothing is known, or for a picture."""
    if source.duration is None or preset.kind is Kind.IMAGE:
        return None
    return min(source.duration, preset.max_seconds or source.duration)


def _certain_seconds(source: MediaInfo, preset: Preset, *, damaged: bool) -> float | None:
    """How long the output must be at least; None when the source does not tell for certain.

    The container's duration is that of its longest stream, which may be one that is not used.
    """
    if source.duration_is_estimate:
        return None
    used = _used(source, preset)
    durations = [stream.duration for stream in used if stream.duration]
    others = [s for s in source.streams if s not in used and not s.attached_pic]
    if len(durations) == len(used):
        certain: float | None = max(durations)
    elif damaged or not others:
        certain = source.duration
    else:
        certain = None
    return min(certain, preset.max_seconds or certain) if certain else None


def _used(source: MediaInfo, preset: Preset) -> list[Stream]:
    video = source.video if preset.kind is not Kind.AUDIO else None
    audio = source.audio if preset.kind in {Kind.AUDIO, Kind.VIDEO} else None
    return [stream for stream in (video, audio) if stream]


def _check_video(stream: Stream, limits: Limits) -> None:
    if (stream.width or 0) * (stream.height or 0) > limits.max_pixels:
        raise MediaError(
            "too_large",
            f"The picture is {stream.width} x {stream.height};"
            f" {limits.max_pixels} pixels are allowed.",
        )
    if stream.fps and stream.fps > limits.max_fps:
        raise MediaError(
            "frame_rate_too_high",
            f"The file has {stream.fps:g} frames a second; {limits.max_fps:g} are allowed.",
        )


def _too_long(seconds: float, limits: Limits) -> MediaError:
    return MediaError(
        "too_long",
        f"The file lasts {seconds:.0f} s; {limits.max_duration_seconds:g} s are allowed.",
    )
