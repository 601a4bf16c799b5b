"""What one piece of media, and the child that works on it, may cost."""

import os
from dataclasses import dataclass, field
from typing import Literal

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE

Sandbox = Literal["auto", "bwrap", "none"]


def _threads() -> int:
    """More than eight threads gain little for one file, and each costs address space."""
    return min(os.cpu_count() or 1, 8)


@dataclass(frozen=True, slots=True)
class Limits:
    """The fence's numbers. The defaults are for a service that takes files from strangers.

    Of the media:
    max_duration_seconds: the longest source; encoding never goes further.
    max_pixels: width times height of the largest picture.
    max_fps: frames a second. max_streams: streams in a source.
    max_output_bytes: size of the output.

    Of the child:
    wall_seconds: hard limit of an encode; None leaves it to the target's own.
    cpu_seconds: on all cores together; None is the wall limit times the threads.
    probe_seconds: hard limit of a probe.
    stall_seconds: how long ffmpeg may show no progress.
    terminate_seconds: from SIGTERM to SIGKILL.
    memory_bytes: address space, which is more than what is resident.
    threads: of each decoder and encoder. open_files: file descriptors.
    nice: 0-19, lower priority than the web server and the database.
    sandbox: `bwrap` runs the child with no network and only its own files in sight;
    `auto` does so where bubblewrap works; `none` never.
    """

    max_duration_seconds: float = 4 * 3600
    max_pixels: int = 40_000_000
    max_fps: float = 120
    max_streams: int = 32
    max_output_bytes: int = 8 * GIBIBYTE
    wall_seconds: float | None = None
    cpu_seconds: float | None = None
    probe_seconds: float = 30
    stall_seconds: float = 120
    terminate_seconds: float = 5
    memory_bytes: int = 4 * GIBIBYTE
    threads: int = field(default_factory=_threads)
    open_files: int = 256
    nice: int = 10
    sandbox: Sandbox = "auto"
