"""Transcode a file of the media store into another format, for real."""

from functools import cache
from pathlib import Path
from typing import Any, cast

from django.conf import settings

from jobs import storage
from jobs.media.binaries import Tools, find_tools
from jobs.media.errors import MediaError, Stopped
from jobs.media.info import MediaInfo
from jobs.media.limits import MEBIBYTE, Limits, Sandbox
from jobs.media.presets import ALIASES, TARGETS, find_preset
from jobs.media.transcode import Transcoded
from jobs.media.transcode import transcode as encode
from jobs.media.verify import verify
from jobs.outcomes import Completed, Failed, Interrupted, Metrics, Outcome, Retry
from jobs.processors.contract import Context, Invalid, TimeLimits
from jobs.processors.declaration import Source, processor
from jobs.processors.parameters import NoParameters

# A film of hours takes hours; within the usual half an hour it would be tried three times in vain.
# Each target has a longest time of its own, which comes before these, and an ffmpeg that stands
# still is ended long before.
_LONGEST = max(preset.wall_seconds for preset in TARGETS.values())
LIMITS = TimeLimits(soft=_LONGEST + 300, hard=_LONGEST + 600)


def can_make(source_file: str, target_format: str, parameters: NoParameters) -> None:
    """Raise Invalid when this installation's ffmpeg cannot make the format."""
    try:
        _tools().require(find_preset(target_format))
    except MediaError as error:
        if error.permanent:
            raise Invalid("target_format", error.code, error.message) from None
        # No ffmpeg beside the web server: that is the workers' business.


@processor(
    "transcode",
    source=Source.STORED,
    formats=(*TARGETS, *ALIASES),
    check=can_make,
    limits=LIMITS,
)
def transcode(context: Context, parameters: NoParameters) -> Outcome:
    """Transcode a file of the media store into another format.

    Reads `sources/<source_file>`, writes `outputs/<job id>/<lease>.<extension>`. The result names
    the output and says what is in it. A source that cannot be read fails for good; a full disk or
    a killed ffmpeg is tried again.
    """
    attempt = context.attempt

    def on_progress(fraction: float | None, speed: float | None) -> None:
        context.report(fraction, "" if speed is None else f"{speed:.1f}x")

    try:
        source = storage.resolve_source(attempt.source_file)
        preset = find_preset(attempt.target_format)
        storage.require_free_space(source.stat().st_size)
        output = storage.output_path(attempt.job_id, attempt.lease, preset.extension)
        done = encode(
            source,
            output,
            preset.name,
            limits=_limits(min(preset.wall_seconds, context.seconds_left())),
            tools=_tools(),
            on_progress=on_progress,
            stop=context.stopped,
        )
    except Stopped:
        return Interrupted()
    except MediaError as error:
        return _failed(error)
    except (storage.SourceNotFound, storage.OutsideStore) as error:
        return Failed(str(error), code="source_not_found")
    except storage.NotEnoughSpace as error:
        return Retry(str(error), code="disk_full")
    return Completed(_metrics(done), _result(output, done), output)


def verified(source_file: str, target_format: str, made: Path) -> dict[str, Any]:
    """What the result says of an output that somebody else made of a source of the store.

    Raises MediaError where it is not what was asked for, storage.StorageError for the source.
    """
    preset = find_preset(target_format)
    limits = _limits(preset.wall_seconds)
    info = verify(storage.resolve_source(source_file), made, preset, limits, tools=_tools())
    return {"size_bytes": made.stat().st_size, **_described(info)}


@cache
def _tools() -> Tools:
    return find_tools(settings.FFMPEG)


def _limits(wall_seconds: float) -> Limits:
    return Limits(
        wall_seconds=max(wall_seconds, 1.0),
        # Nothing of a stopped encode is kept, so there is nothing to wait for.
        terminate_seconds=0.5,
        max_duration_seconds=settings.MEDIA_MAX_DURATION_SECONDS,
        max_pixels=settings.MEDIA_MAX_PIXELS,
        max_fps=settings.MEDIA_MAX_FPS,
        max_streams=settings.MEDIA_MAX_STREAMS,
        max_output_bytes=settings.MEDIA_MAX_OUTPUT_MB * MEBIBYTE,
        memory_bytes=settings.MEDIA_MEMORY_MB * MEBIBYTE,
        stall_seconds=settings.MEDIA_STALL_SECONDS,
        sandbox=cast("Sandbox", settings.MEDIA_SANDBOX),
    )


def _failed(error: MediaError) -> Outcome:
    if error.permanent:
        return Failed(str(error), code=error.code)
    return Retry(str(error), code=error.code)


def _metrics(done: Transcoded) -> Metrics:
    return Metrics(
        peak_cpu_usage=done.usage.peak_cpu_percent,
        memory_usage_mb=done.usage.peak_memory_mb,
        processing_time_seconds=round(done.usage.wall_seconds, 3),
    )


def _result(output: Path, done: Transcoded) -> dict[str, Any]:
    return {
        "output": storage.output_name(output),
        "size_bytes": done.size_bytes,
        **_described(done.info),
    }


def _described(info: MediaInfo) -> dict[str, Any]:
    described: dict[str, Any] = {"duration_seconds": info.duration}
    if info.video is not None:
        described["video"] = {
            "codec": info.video.codec,
            "width": info.video.width,
            "height": info.video.height,
            "fps": info.video.fps,
        }
    if info.audio is not None:
        described["audio"] = {
            "codec": info.audio.codec,
            "channels": info.audio.channels,
            "sample_rate": info.audio.sample_rate,
        }
    return described
