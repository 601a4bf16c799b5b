"""Run one fenced command to its end, under the caller's stop and the limits of time."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from jobs.media.child import Child
from jobs.media.errors import MediaError, Stopped
from jobs.media.failure import failure
from jobs.media.fence import fenced
from jobs.media.limits import Limits
from jobs.media.measure import Usage
from jobs.media.progress import Progress
from jobs.media.tail import Tail

Stop = Callable[[], bool]
OnProgress = Callable[[float | None, float | None], None]

# -y: the name is ours and unique, so what is there is left over from an attempt that was killed.
_ENCODE = ("-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", "level+warning")
_REPORT = ("-progress", "pipe:1", "-stats_period", "0.5")


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ran to its own end, well or not."""

    returncode: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encode with exit status 0. complaints: the last lines of its stderr."""

    usage: Usage
    complaints: tuple[str, ...]


def never() -> bool:
    """A `stop` for callers that never stop."""
    return False


def silent(fraction: float | None, speed: float | None) -> None:
    """An `on_progress` for callers that do not listen."""


def run(
    command: Sequence[str],
    *,
    limits: Limits,
    wall_seconds: float,
    stderr: Tail,
    on_stdout: Callable[[bytes], None],
    stop: Stop,
    watch: Callable[[], None] = lambda: None,
    inherit: Sequence[int] = (),
    folder: Path | None = None,
) -> Ended:
    """Run a command behind the fence and wait for it; on any exception nothing of it survives.

    stop: asked about every 50 ms. watch: called as often, and may raise.
    inherit: open files that the child may use. folder: where it may write.
    Raises Stopped, MediaError `timed_out`, and what the callbacks raise.
    """
    deadline = time.monotonic() + wall_seconds
    with Child(
        fenced(command, limits, wall_seconds=wall_seconds, folder=folder),
        inherit=inherit,
        terminate_seconds=limits.terminate_seconds,
        stderr=stderr,
        on_stdout=on_stdout,
    ) as child:
        while not child.ended():
            child.pump()
            if stop():
                raise Stopped
            watch()
            if time.monotonic() > deadline:
                raise MediaError(
                    "timed_out", f"It took longer than the {wall_seconds:g} s that are allowed."
                )
        assert child.returncode is not None  # noqa: S101 - it has ended
        return Ended(child.returncode, child.usage)


def encode(
    ffmpeg: Path,
    arguments: Sequence[str],
    output: Path,
    *,
    limits: Limits,
    wall_seconds: float,
    expected_seconds: float | None,
    on_progress: OnProgress,
    stop: Stop,
    inherit: Sequence[int] = (),
    hidden: Mapping[str, str] = MappingProxyType({}),
) -> Encoded:
    """Run ffmpeg with these options into `output`, which is overwritten.

    Exit status 0 is not yet success: the output has to be probed.
    on_progress(fraction, speed): twice a second; 0.0-0.99, or None when no duration is expected.
    Raises Stopped, MediaError. What was written of the output is left to the caller.
    """
    stderr = Tail(hidden={f"file:{output}": "output", **hidden})
    progress = Progress(expected_seconds)
    stall = _Stall(progress, limits.stall_seconds, on_progress)
    command = [str(ffmpeg), *_ENCODE, *_REPORT, *arguments, f"file:{output}"]
    ended = run(
        command,
        limits=limits,
        wall_seconds=wall_seconds,
        stderr=stderr,
        on_stdout=progress.feed,
        stop=stop,
        watch=stall.watch,
        inherit=inherit,
        folder=output.parent,
    )
    if ended.returncode != 0:
        raise failure("encode_failed", ended.returncode, ended.usage, stderr, limits, wall_seconds)
    return Encoded(ended.usage, tuple(stderr.lines()))


class _Stall:
    """Passes progress on, and raises when there has been none for too long."""

    def __init__(self, progress: Progress, seconds: float, on_progress: OnProgress) -> None:
        self._progress = progress
        self._seconds = seconds
        self._on_progress = on_progress
        self._blocks = 0
        self._position = 0.0
        self._moved = time.monotonic()

    def watch(self) -> None:
        if self._progress.blocks > self._blocks:
            self._blocks = self._progress.blocks
            self._on_progress(self._progress.fraction, self._progress.speed)
        if self._progress.seconds > self._position:
            self._position = self._progress.seconds
            self._moved = time.monotonic()
        if time.monotonic() - self._moved > self._seconds:
            raise MediaError("stalled", f"ffmpeg made no progress for {self._seconds:g} s.")
