"""What can go wrong with media, as a person should read it."""

from typing import Literal

Code = Literal[
    "disk_full",
    "encode_failed",
    "ffmpeg_missing",
    "frame_rate_too_high",
    "killed",
    "memory_limit",
    "no_audio_stream",
    "no_video_stream",
    "sandbox_missing",
    "source_missing",
    "stalled",
    "timed_out",
    "too_large",
    "too_long",
    "too_many_streams",
    "truncated_input",
    "unreadable_media",
    "unsupported_target",
    "wrong_container",
]

# The machine is at fault, not the media: another attempt, or another machine, may succeed.
_PASSING: frozenset[Code] = frozenset(
    {"disk_full", "ffmpeg_missing", "killed", "sandbox_missing", "stalled"}
)


class MediaError(Exception):
    """A file could not be probed or made.

    code: stable, for machines. message: one or two sentences for people.
    details: the last lines that ffmpeg wrote to stderr, or "".
    permanent: whether another attempt with the same file must fail as well.
    """

    def __init__(self, code: Code, message: str, details: str = "") -> None:
        super().__init__(message, details)
        self.code: Code = code
        self.message = message
        self.details = details
        self.permanent = code not in _PASSING

    def __str__(self) -> str:
        return f"{self.message}\n{self.details}" if self.details else self.message


class Stopped(Exception):
    """`stop()` became true: the child is gone and nothing of the output is left."""
