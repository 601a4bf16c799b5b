"""Bubblewrap around a child: no network, no other process, and no file but its own in sight."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

from jobs.media.errors import MediaError
from jobs.media.limits import Sandbox

_TRIAL_SECONDS = 10
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")


def sandbox(program: str, mode: Sandbox, folder: Path | None) -> list[str]:
    """What to put before a command so that it runs in the sandbox; nothing when it is not wanted.

    The source is not bound: it is handed over as an open file.
    program: the absolute path of what will run. folder: where it may write, if anywhere.
    Raises MediaError `sandbox_missing` when mode is `bwrap` and bubblewrap does not work here.
    """
    if mode == "none":
        return []
    if not _works(program):
        if mode == "auto":
            return []
        raise MediaError(
            "sandbox_missing",
            "The sandbox is set to bwrap, but bubblewrap is not installed, or may not make"
            " namespaces here. Install it, or set the sandbox to auto or none.",
        )
    return [*_bwrap(program), *(("--bind", str(folder), str(folder)) if folder else ()), "--"]


@cache
def _works(program: str) -> bool:
    """Whether bubblewrap may do its work: many containers forbid it."""
    if not shutil.which("bwrap"):
        return False
    # The sandboxed program must also be able to reach an open file that it inherits.
    with Path(program).open("rb") as source:
        command = [*_bwrap(program), "--", program, "-version"]
        try:
            trial = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                pass_fds=[source.fileno()],
                timeout=_TRIAL_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
    return trial.returncode == 0


@cache
def _bwrap(program: str) -> tuple[str, ...]:
    homes = sorted({str(Path(program).parent), str(Path(program).resolve().parent)})
    return (
        shutil.which("bwrap") or "bwrap",
        # As pid 1, because otherwise nobody waits for the child and its CPU time would be lost.
        *("--unshare-all", "--as-pid-1", "--die-with-parent", "--chdir", "/"),
        *("--ro-bind", "/usr", "/usr"),
        *(option for path in _SYSTEM for option in _system(path)),
        *("--ro-bind-try", "/etc/alternatives", "/etc/alternatives"),
        *("--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"),
        *("--proc", "/proc", "--dev", "/dev"),
        *(option for home in homes for option in ("--ro-bind", home, home)),
    )


def _system(path: str) -> tuple[str, ...]:
    """/bin and its kin are links into /usr on most distributions, and folders on the others."""
    place = Path(path)
    if place.is_symlink():
        return ("--symlink", str(place.readlink()), path)
    return ("--ro-bind", path, path) if place.is_dir() else ()
