"""Check an output that somebody else made: as strictly as one that was made here."""

from pathlib import Path

from jobs.media.binaries import Tools
from jobs.media.checks import check_limits, check_output
from jobs.media.errors import MediaError
from jobs.media.info import MediaInfo
from jobs.media.limits import Limits
from jobs.media.presets import Preset
from jobs.media.probe import probe

# How ffmpeg's readers call what the presets' writers make, where that is not the extension.
_READERS = {"mkv": {"matroska"}, "jpg": {"jpeg_pipe", "image2"}}


def verify(source: Path, made: Path, preset: Preset, limits: Limits, *, tools: Tools) -> MediaInfo:
    """What `made` holds: it is `source` as the preset would have it.

    Raises MediaError: `wrong_container`, and what `probe`, `check_limits` and `check_output` raise.
    """
    info = probe(made, limits, tools=tools)
    readers = _READERS.get(preset.extension, {preset.extension})
    if readers.isdisjoint(info.container.split(",")):
        raise MediaError(
            "wrong_container", f"The output is {info.container} and not {preset.extension}."
        )
    check_limits(info, limits)
    check_output(info, probe(source, limits, tools=tools), preset, limits, damaged=False)
    return info
