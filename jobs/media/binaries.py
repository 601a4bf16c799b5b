"""Find ffmpeg and ffprobe, and learn what this build of ffmpeg can encode."""

import importlib
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jobs.media.errors import MediaError
from jobs.media.presets import Preset

_LIST_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs that work on media.

    ffprobe: None where there is none; ffmpeg then probes by itself.
    """

    ffmpeg: Path
    ffprobe: Path | None
    encoders: frozenset[str]

    def require(self, preset: Preset) -> None:
        """Raise MediaError `unsupported_target` when this ffmpeg cannot make the target."""
        missing = ", ".join(sorted(preset.encoders - self.encoders))
        if missing:
            raise MediaError(
                "unsupported_target",
                f"Cannot make {preset.name}: the ffmpeg at {self.ffmpeg} has no encoder {missing}.",
            )


@cache
def find_tools(ffmpeg: str = "") -> Tools:
    """Find the programs; the answer is kept for the life of the process.

    ffmpeg: a path or a name to look up. "" means PATH, then the imageio-ffmpeg wheel.
    Raises MediaError `ffmpeg_missing`.
    """
    path = _named(ffmpeg) if ffmpeg else _any()
    return Tools(path, _ffprobe(path), _encoders(path))


def _named(ffmpeg: str) -> Path:
    found = shutil.which(ffmpeg)
    if not found:
        raise MediaError(
            "ffmpeg_missing", f"There is no program at {ffmpeg!r}, which is configured as ffmpeg."
        )
    return Path(found).absolute()


def _any() -> Path:
    found = shutil.which("ffmpeg") or _from_wheel()
    if not found:
        raise MediaError(
            "ffmpeg_missing",
            "ffmpeg was not found. Install it (Debian: apt install ffmpeg), or pip install"
            " imageio-ffmpeg, or configure its path.",
        )
    return Path(found).absolute()


def _from_wheel() -> str | None:
    try:
        wheel = importlib.import_module("imageio_ffmpeg")
        return str(wheel.get_ffmpeg_exe())
    except (ImportError, RuntimeError):  # RuntimeError: a wheel without a binary for this platform
        return None


def _ffprobe(ffmpeg: Path) -> Path | None:
    beside = shutil.which("ffprobe", path=str(ffmpeg.parent))
    found = beside or shutil.which("ffprobe")
    return Path(found).absolute() if found else None


def _encoders(ffmpeg: Path) -> frozenset[str]:
    try:
        listing = subprocess.run(
            [ffmpeg, "-hide_banner", "-loglevel", "error", "-encoders"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            text=True,
            errors="replace",
            timeout=_LIST_SECONDS,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise MediaError(
            "ffmpeg_missing", f"The ffmpeg at {ffmpeg} does not run: {error}"
        ) from None
    _, _, rows = listing.partition("------")
    return frozenset(fields[1] for fields in map(str.split, rows.splitlines()) if len(fields) > 1)
