"""Films that take a while to encode, and the ffmpeg that does it."""

import subprocess
from pathlib import Path

import psutil

from jobs.media.binaries import find_tools


def make_long_film(store: Path) -> str:
    """Make it among the sources of a media store, which is made too. Its name."""
    sources = store / "sources"
    sources.mkdir(parents=True)
    drawn = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=20"]
    short = sources / "short.mp4"
    _ffmpeg(*drawn, "-pix_fmt", "yuv420p", str(short))
    listing = store / "list.txt"
    listing.write_text(f"file '{short}'\n" * 100)
    _ffmpeg(
        "-f", "concat", "-safe", "0", "-i", str(listing), "-c", "copy", str(sources / "long.mp4")
    )
    return "long.mp4"


def make_film(store: Path, name: str, seconds: int) -> str:
    """A film of 720p of so many seconds: a VP9 takes about as long as it lasts on two cores, and
    some seconds on many. Its name."""
    drawn = ["-f", "lavfi", "-i", f"testsrc2=size=1280x720:rate=25:duration={seconds}"]
    _ffmpeg(*drawn, "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(store / "sources" / name))
    return name


def ffmpegs(pid: int) -> list[psutil.Process]:
    """The ffmpeg processes below a worker."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        try:
            if "ffmpeg" in child.name():
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def runs(process: psutil.Process) -> bool:
    """Whether it has not ended; who waits to be reaped has."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _ffmpeg(*arguments: str) -> None:
    subprocess.run([find_tools().ffmpeg, "-v", "error", "-y", *arguments], check=True)
