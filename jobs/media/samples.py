"""Two small files to try things with: moving pictures with sound, and sound alone."""

from pathlib import Path

from jobs.media.binaries import Tools, find_tools
from jobs.media.limits import Limits
from jobs.media.publish import publish
from jobs.media.run import encode, never, silent

_SECONDS = 4
_TONE = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:beep_factor=2")
_PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25")
_H264 = (
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
    "-movflags",
    "+faststart",
)
_LENGTH = ("-t", str(_SECONDS))

SAMPLES: dict[str, tuple[str, ...]] = {
    "video.mp4": (*_PICTURE, *_TONE, *_LENGTH, *_H264, "-c:a", "aac", "-f", "mp4"),
    "audio.wav": (*_TONE, *_LENGTH, "-c:a", "pcm_s16le", "-f", "wav"),
}


def make_samples(folder: Path, *, tools: Tools | None = None) -> list[Path]:
    """Make the samples that are not there yet, each of them whole or not at all.

    Returns what was made. Raises MediaError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in SAMPLES if not (folder / name).exists()]
    for name in missing:
        _make(folder / name, tools or find_tools())
    return [folder / name for name in missing]


def _make(path: Path, tools: Tools) -> None:
    partial = path.with_name(f".{path.name}.part")
    try:
        encode(
            tools.ffmpeg,
            SAMPLES[path.name],
            partial,
            limits=Limits(),
            wall_seconds=60,
            expected_seconds=_SECONDS,
            on_progress=silent,
            stop=never,
        )
        publish(partial, path)
    finally:
        partial.unlink(missing_ok=True)
