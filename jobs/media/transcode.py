"""Make one target from one source: probe, check, encode, verify, and only then give it its name."""

from dataclasses import dataclass
from pathlib import Path

from jobs.media.binaries import Tools, find_tools
from jobs.media.checks import check_limits, check_output, check_source, expected_seconds
from jobs.media.fence import input_options
from jobs.media.info import MediaInfo
from jobs.media.limits import Limits
from jobs.media.measure import Usage
from jobs.media.presets import Preset, find_preset
from jobs.media.probe import probe
from jobs.media.publish import publish
from jobs.media.run import Encoded, OnProgress, Stop, encode, never, silent
from jobs.media.source import opened, url

# Room past the longest duration, so that a file that goes beyond it is noticed and not just cut.
_SLACK_SECONDS = 2
_INCOMPLETE = ("partial file", "ended prematurely", "corrupt input packet", "Packet corrupt")


@dataclass(frozen=True, slots=True)
class Transcoded:
    """A finished output: what it holds, what its encode used, and its size."""

    info: MediaInfo
    usage: Usage
    size_bytes: int


def transcode(
    source: Path,
    destination: Path,
    target: str,
    *,
    limits: Limits | None = None,
    tools: Tools | None = None,
    on_progress: OnProgress = silent,
    stop: Stop = never,
) -> Transcoded:
    """Write `source` as `target` to `destination`, in a folder that exists and that only we write.

    The output appears under its name complete, verified and on disk, or not at all: on any
    exception nothing of it is left, and no process.
    tools: None finds them. stop: asked about every 50 ms, from this thread.
    on_progress(fraction, speed): 0.0-1.0, 1.0 once verified, None when the duration is not known;
    speed as a multiple of real time, or None.
    Raises MediaError, Stopped, and what the callbacks raise.
    """
    limits = limits or Limits()
    tools = tools or find_tools()
    preset = find_preset(target)
    tools.require(preset)
    found = probe(source, limits, tools=tools, stop=stop)
    check_limits(found, limits)
    check_source(found, preset)
    partial = destination.with_name(f"{destination.name}.part")
    try:
        encoded = _encode(source, partial, preset, found, limits, tools, on_progress, stop)
        info = probe(partial, limits, tools=tools, stop=stop)
        check_output(info, found, preset, limits, damaged=_incomplete(encoded))
        size = partial.stat().st_size
        on_progress(1.0, None)
        publish(partial, destination)
    finally:
        partial.unlink(missing_ok=True)
    return Transcoded(info, encoded.usage, size)


def _encode(
    source: Path,
    partial: Path,
    preset: Preset,
    found: MediaInfo,
    limits: Limits,
    tools: Tools,
    on_progress: OnProgress,
    stop: Stop,
) -> Encoded:
    longest = limits.max_duration_seconds + _SLACK_SECONDS
    seconds = str(min(preset.max_seconds or longest, longest))
    threads = ["-threads", str(limits.threads)]
    with opened(source) as descriptor:
        name = url(descriptor)
        reading = ["-filter_threads", str(limits.threads), *input_options(limits), *threads]
        writing = [*preset.arguments, *threads, "-t", seconds]
        return encode(
            tools.ffmpeg,
            [*reading, "-t", seconds, "-i", name, *writing],
            partial,
            limits=limits,
            wall_seconds=limits.wall_seconds or preset.wall_seconds,
            expected_seconds=expected_seconds(found, preset),
            on_progress=on_progress,
            stop=stop,
            inherit=[descriptor],
            hidden={name: "input"},
        )


def _incomplete(encoded: Encoded) -> bool:
    return any(sign in line for sign in _INCOMPLETE for line in encoded.complaints)
