"""An opinion on media files that shares no code with the product: ffmpeg decodes every frame."""

import subprocess
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

MAGIC: dict[str, Callable[[bytes], bool]] = {
    "mp4": lambda head: head[4:8] == b"ftyp" and head[8:12] != b"qt  ",
    "mov": lambda head: head[4:12] == b"ftypqt  ",
    "m4a": lambda head: head[4:11] == b"ftypM4A",
    "mkv": lambda head: head[:4] == b"\x1a\x45\xdf\xa3" and b"matroska" in head,
    "webm": lambda head: head[:4] == b"\x1a\x45\xdf\xa3" and b"webm" in head,
    "avi": lambda head: head[:4] == b"RIFF" and head[8:12] == b"AVI ",
    "wav": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WAVE",
    "mp3": lambda head: head[:3] == b"ID3" or head[0] == 0xFF,
    "flac": lambda head: head[:4] == b"fLaC",
    "ogg": lambda head: head[:4] == b"OggS" and b"OpusHead" in head,
    "gif": lambda head: head[:6] == b"GIF89a",
    "jpg": lambda head: head[:3] == b"\xff\xd8\xff",
}


@dataclass(frozen=True)
class Judged:
    """codecs: by media type. seconds: the sum of the lengths of the decoded frames, by media type.

    size: width and height of the pictures as "WxH".
    """

    codecs: dict[str, str]
    seconds: dict[str, float]
    frames: dict[str, int]
    size: str | None


def judge(ffmpeg: Path, path: Path) -> Judged:
    """Decode the whole file; any complaint of the decoder is an error."""
    decoded = _framecrc(ffmpeg, path, "-xerror")
    copied = _framecrc(ffmpeg, path, "-c", "copy")
    base: dict[int, Fraction] = {}
    kind: dict[int, str] = {}
    size: str | None = None
    ticks: dict[int, int] = defaultdict(int)
    frames: dict[int, int] = defaultdict(int)
    for line in decoded.splitlines():
        if line.startswith("#"):
            key, _, value = line.removeprefix("#").partition(": ")
            name, _, stream = key.partition(" ")
            if name == "tb":
                base[int(stream)] = Fraction(value)
            elif name == "media_type":
                kind[int(stream)] = value
            elif name == "dimensions":
                size = value
        elif line.strip():
            stream_number, _, _, duration, *_ = (field.strip() for field in line.split(","))
            ticks[int(stream_number)] += int(duration)
            frames[int(stream_number)] += 1
    return Judged(
        codecs={kind[number]: codec for number, codec in _codecs(copied).items()},
        seconds={kind[number]: float(ticks[number] * base[number]) for number in kind},
        frames={kind[number]: frames[number] for number in kind},
        size=size,
    )


def _codecs(framecrc: str) -> dict[int, str]:
    prefix = "#codec_id "
    lines = [line for line in framecrc.splitlines() if line.startswith(prefix)]
    pairs = (line.removeprefix(prefix).split(": ") for line in lines)
    return {int(number): codec for number, codec in pairs}


def _framecrc(ffmpeg: Path, path: Path, *options: str) -> str:
    loudness = ["-hide_banner", "-nostdin", "-loglevel", "error"]
    # By content and not by name: an ending .jpg would mean a sequence of pictures.
    with path.open("rb") as source:
        command = [
            str(ffmpeg),
            *loudness,
            "-i",
            f"/dev/fd/{source.fileno()}",
            "-map",
            "0",
            *options,
        ]
        done = subprocess.run(
            [*command, "-f", "framecrc", "-"],
            check=True,
            capture_output=True,
            text=True,
            pass_fds=[source.fileno()],
        )
    assert done.stderr == ""
    return done.stdout
