"""The fence around every child: limits set by a chain of small programs, then ffmpeg's own options.

    nice, ionice, prlimit, setpriv, sh, [bwrap,] ffmpeg

Each replaces itself with the next, so the child's process id is ffmpeg's (bwrap alone stays, as its
parent). A program that is missing, or may not do its part here, is left out; `gaps` names those.

`setpriv --pdeathsig KILL` has the kernel end the child when the *thread* that started it ends:
however the worker dies, no ffmpeg stays behind. That thread must live as long as the child, and it
does, because it waits for it. The death of a worker before setpriv has run would be missed, so sh
looks afterwards whether its parent is still that worker.
"""

import math
import os
import resource
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jobs.media.limits import Limits
from jobs.media.sandbox import sandbox

# No playlist, manifest, concat list, image sequence or drawing: those name other files to read.
# The protocol alone is no fence, since such files may be local.
FORMATS = (
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,wav,w64,mp3,flac,ogg,aac,ac3,aiff,caf,mxf,"
    "gif,png_pipe,jpeg_pipe,webp_pipe"
)
_TRIAL_SECONDS = 10
_SAME_PARENT = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"'


def input_options(limits: Limits) -> list[str]:
    """What stands before `-i`, for ffmpeg and ffprobe alike."""
    return [
        *("-protocol_whitelist", "file"),
        *("-format_whitelist", FORMATS),
        *("-max_pixels", str(limits.max_pixels)),
    ]


def fenced(
    command: Sequence[str], limits: Limits, *, wall_seconds: float, folder: Path | None = None
) -> list[str]:
    """The command behind the fence.

    wall_seconds: how long it may run; the limit of CPU time follows from it.
    folder: where it may write, if anywhere.
    Raises MediaError `sandbox_missing` when a sandbox is demanded and does not work here.
    """
    fence = [*_courtesy(limits.nice), *_rlimits(limits, wall_seconds), *_die_with_parent()]
    return [*fence, *sandbox(command[0], limits.sandbox, folder), *command]


def cpu_seconds(limits: Limits, wall_seconds: float) -> int:
    """The CPU time that a command may use, on all cores together."""
    return math.ceil(limits.cpu_seconds or wall_seconds * limits.threads)


def gaps(limits: Limits) -> list[str]:
    """The parts of the fence that this machine cannot give, in plain words."""
    missing = {
        "limits of memory, CPU and file size (prlimit)": not _rlimits(limits, limits.probe_seconds),
        "the end of ffmpeg with a killed worker (setpriv)": not _die_with_parent(),
    }
    return [part for part, absent in missing.items() if absent]


def _courtesy(nice: int) -> list[str]:
    return [
        *_working("nice", "-n", str(nice)),
        *_working("ionice", "-c", "2", "-n", "7"),
    ]


def _rlimits(limits: Limits, wall_seconds: float) -> list[str]:
    cpu = cpu_seconds(limits, wall_seconds)
    if not _working("prlimit", "--core=0"):
        return []
    return [
        *_working("prlimit", "--core=0"),
        f"--as={_allowed(resource.RLIMIT_AS, limits.memory_bytes)}",
        f"--fsize={_allowed(resource.RLIMIT_FSIZE, limits.max_output_bytes)}",
        f"--nofile={_allowed(resource.RLIMIT_NOFILE, limits.open_files)}",
        # At the first the child is asked to end; at the second, a second later, it is killed.
        f"--cpu={_allowed(resource.RLIMIT_CPU, cpu)}:{_allowed(resource.RLIMIT_CPU, cpu + 1)}",
    ]


def _allowed(kind: int, value: int) -> int:
    """Not above the hard limit that the service itself runs under, which could not be raised."""
    _, hard = resource.getrlimit(kind)
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _die_with_parent() -> list[str]:
    shell = shutil.which("sh")
    setpriv = _working("setpriv", "--pdeathsig", "KILL", "--no-new-privs")
    if not setpriv or not shell:
        return []
    return [*setpriv, shell, "-c", _SAME_PARENT, "fence", str(os.getpid())]


@cache
def _working(program: str, *options: str) -> list[str]:
    """The program with its options, where it is installed and does what they say; else nothing."""
    path = shutil.which(program)
    true = shutil.which("true")
    if not path or not true:
        return []
    try:
        trial = subprocess.run(
            [path, *options, true],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_TRIAL_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [path, *options] if trial.returncode == 0 else []
