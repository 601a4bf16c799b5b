"""Find out what a media file holds, behind the same fence as everything else."""

from dataclasses import replace
from pathlib import Path

from jobs.media import ffmpeg_banner, ffprobe_json
from jobs.media.binaries import Tools, find_tools
from jobs.media.errors import MediaError
from jobs.media.failure import failure
from jobs.media.fence import input_options
from jobs.media.info import MediaInfo, Stream
from jobs.media.limits import MEBIBYTE, Limits
from jobs.media.run import Stop, never, run
from jobs.media.source import opened, url
from jobs.media.tail import Tail
from jobs.media.wave_header import promised_seconds

_ANSWER_BYTES = MEBIBYTE
_BANNER_LINES = 5000
_ESTIMATE = "Estimating duration from bitrate"
# Programme and transport streams state no duration: it is told from their first and last time
# stamps, which start anew wherever a recording was joined.
_TIMESTAMPS_ONLY = {"mpeg", "mpegts"}
# Recorders that know no frame rate write a frame of a millisecond: no rate, only Matroska's clock.
_NO_RATE = 1000.0


def probe(
    path: Path,
    limits: Limits | None = None,
    *,
    tools: Tools | None = None,
    stop: Stop = never,
) -> MediaInfo:
    """Read the file's container and streams. Nothing is checked against the limits yet (`checks`).

    tools: None finds them. stop: asked about every 50 ms.
    Raises MediaError: `source_missing`, `unreadable_media`, `truncated_input`, `too_large`,
    `timed_out` and what the fence raises; Stopped.
    """
    limits = limits or Limits()
    tools = tools or find_tools()
    with opened(path) as descriptor:
        return _probe(descriptor, limits, tools, stop)


def _probe(descriptor: int, limits: Limits, tools: Tools, stop: Stop) -> MediaInfo:
    source = url(descriptor)
    stderr = Tail(_BANNER_LINES, hidden={source: "input"})
    answer = bytearray()

    def collect(data: bytes) -> None:
        answer.extend(data)
        if len(answer) > _ANSWER_BYTES:
            raise MediaError("too_many_streams", "The file has far too many streams.")

    ended = run(
        _command(tools, limits, source),
        limits=limits,
        wall_seconds=limits.probe_seconds,
        stderr=stderr,
        on_stdout=collect,
        stop=stop,
        inherit=[descriptor],
    )
    lines = stderr.lines()
    info = ffprobe_json.parse(bytes(answer)) if tools.ffprobe else ffmpeg_banner.parse(lines)
    if info is None or (info.video and not info.video.width):
        raise failure(
            "unreadable_media", ended.returncode, ended.usage, stderr, limits, limits.probe_seconds
        )
    estimate = any(_ESTIMATE in line for line in lines) or info.container in _TIMESTAMPS_ONLY
    info = replace(
        info,
        duration_is_estimate=estimate,
        streams=tuple(_with_true_rate(stream, info.container) for stream in info.streams),
    )
    promised = promised_seconds(descriptor) if info.container == "wav" else None
    return _with_duration(info, promised) if promised else info


def _command(tools: Tools, limits: Limits, source: str) -> list[str]:
    fence = input_options(limits)
    if tools.ffprobe:
        verbosity = ["-hide_banner", "-loglevel", "level+warning"]
        return [str(tools.ffprobe), *verbosity, *fence, *ffprobe_json.OPTIONS, "-i", source]
    # Without an output ffmpeg describes its input and ends with status 1.
    verbosity = ["-hide_banner", "-nostdin", "-loglevel", "level+info"]
    return [str(tools.ffmpeg), *verbosity, *fence, "-i", source]


def _with_true_rate(stream: Stream, container: str) -> Stream:
    return (
        replace(stream, fps=None) if stream.fps == _NO_RATE and "matroska" in container else stream
    )


def _with_duration(info: MediaInfo, seconds: float) -> MediaInfo:
    streams = tuple(replace(stream, duration=seconds) for stream in info.streams)
    return replace(info, duration=seconds, duration_is_estimate=False, streams=streams)
