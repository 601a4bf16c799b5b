"""Why a command failed, from its exit status and the last lines of its stderr."""

import math
import signal

from jobs.media.errors import Code, MediaError
from jobs.media.fence import cpu_seconds
from jobs.media.limits import MEBIBYTE, Limits
from jobs.media.measure import Usage
from jobs.media.tail import Tail

_SHOWN = 6
_STOPPED_BY_SIGNAL = 255  # ffmpeg's own status after SIGTERM, SIGINT or SIGXCPU
_SHELL_SIGNALS = range(129, 160)  # no error of ffmpeg about files has such a status
_NOT_RUN = (126, 127)  # from the programs of the fence

# Only lines of these levels are matched. What they quote from the file could at worst choose
# another message for its own failure.
_SERIOUS = ("[error]", "[fatal]", "[panic]")
_NOISE = ("[info]", "At least one output file must be specified")
_REASONS: tuple[tuple[str, Code, str], ...] = (
    ("No space left on device", "disk_full", "The disk of the media store is full."),
    ("Disk quota exceeded", "disk_full", "The disk quota of the media store is used up."),
    ("specified max pixel count", "too_large", "The picture has more than {pixels} pixels."),
    ("File too large", "too_large", "The output is larger than the {size} MiB that are allowed."),
    (
        "Cannot allocate memory",
        "memory_limit",
        "It needs more than the {memory} MiB of memory that are allowed.",
    ),
    (
        "moov atom not found",
        "truncated_input",
        "The file is not complete: its index is missing. Upload it again.",
    ),
)
_SIGNALS: dict[int, tuple[Code, str]] = {
    signal.SIGXFSZ: ("too_large", "The output is larger than the {size} MiB that are allowed."),
    signal.SIGXCPU: ("timed_out", "It took more CPU time than the {cpu} s that are allowed."),
    signal.SIGKILL: ("killed", "ffmpeg was killed from outside; perhaps memory ran out."),
    signal.SIGTERM: ("killed", "ffmpeg was ended from outside."),
    signal.SIGINT: ("killed", "ffmpeg was ended from outside."),
}
_TEXT: dict[Code, str] = {
    "encode_failed": "ffmpeg could not convert this file.",
    "unreadable_media": "This is not a media file that can be read, or it is damaged.",
}


def failure(
    fallback: Code, returncode: int, usage: Usage, stderr: Tail, limits: Limits, wall_seconds: float
) -> MediaError:
    """The error that says best why the command failed.

    fallback: the code when nothing better is known, `encode_failed` or `unreadable_media`.
    """
    allowed_cpu = cpu_seconds(limits, wall_seconds)
    code, message = _reason(
        fallback, returncode, stderr, out_of_cpu=usage.cpu_seconds >= allowed_cpu
    )
    text = message.format(
        pixels=limits.max_pixels,
        size=math.ceil(limits.max_output_bytes / MEBIBYTE),
        memory=math.ceil(limits.memory_bytes / MEBIBYTE),
        cpu=allowed_cpu,
    )
    return MediaError(code, text, details(stderr))


def details(stderr: Tail) -> str:
    """The last lines, as they are shown to people."""
    shown = [line for line in stderr.lines() if not any(noise in line for noise in _NOISE)]
    return "\n".join(shown[-_SHOWN:])


def _reason(fallback: Code, returncode: int, stderr: Tail, *, out_of_cpu: bool) -> tuple[Code, str]:
    for line in stderr.lines():
        for mark, code, message in _REASONS:
            if mark in line and any(level in line for level in _SERIOUS):
                return code, message
    if returncode in _NOT_RUN:
        return "ffmpeg_missing", "ffmpeg could not be started."
    # The signal repeats every second; ffmpeg gives up at the fourth with a status of its own.
    by_signal = signal.SIGXCPU if out_of_cpu else _signal(returncode)
    if by_signal in _SIGNALS:
        return _SIGNALS[by_signal]
    if by_signal > 0:
        return fallback, f"ffmpeg crashed on this file (signal {by_signal})."
    return fallback, _TEXT[fallback]


def _signal(returncode: int) -> int:
    """The signal that ended it, or 0. The sandbox tells it as shells do, as 128 and the signal."""
    if returncode == _STOPPED_BY_SIGNAL:
        return signal.SIGTERM
    if returncode in _SHELL_SIGNALS:
        return returncode - _SHELL_SIGNALS.start + 1
    return max(-returncode, 0)
