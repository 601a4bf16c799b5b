"""Read what `ffmpeg -i` tells people about a file: for machines that have no ffprobe.

The lines of streams and of the duration are ffmpeg's own words, but a tag with a line break in its
name can imitate them. It gains nothing by that: the limits of size, time and duration hold in
ffmpeg itself, whatever is read here.
"""

import re
from collections.abc import Iterable

from jobs.media.info import MediaInfo, Stream

_INPUT = re.compile(r"\[info\] Input #0, (?P<container>.+), from '")
_DURATION = re.compile(r"\[info\]   Duration: (\d+):(\d\d):(\d\d\.\d+)")
_STREAM = re.compile(
    r"\[info\]   Stream #0:(?P<index>\d+)(?:\[0x[0-9a-f]+\])?(?:\(.*?\))?: "
    r"(?P<kind>Video|Audio|Subtitle|Data|Attachment): (?P<codec>\w+)(?P<rest>.*)"
)
_SIZE = re.compile(r", (\d+)x(\d+)(?=[ ,]|$)")
_FPS = re.compile(r", ([\d.]+)(k?) fps\b")
_SOUND = re.compile(r", (\d+) Hz, ([^,]+)")
_LAYOUTS = {"mono": 1, "stereo": 2, "downmix": 2, "quad": 4, "hexagonal": 6, "octagonal": 8}
_ATTACHED = "(attached pic)"


def parse(lines: Iterable[str]) -> MediaInfo | None:
    """The file as `ffmpeg -loglevel level+info` shows it; None when it was not opened."""
    container: str | None = None
    duration: float | None = None
    streams: dict[int, Stream] = {}
    for line in lines:
        if found := _INPUT.match(line):
            container = found["container"]
        elif found := _DURATION.match(line):
            hours, minutes, seconds = found.groups()
            duration = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        elif found := _STREAM.match(line):
            stream = _stream(found)
            streams.setdefault(stream.index, stream)
    if container is None:
        return None
    return MediaInfo(container, duration or None, tuple(streams.values()))


def _stream(found: re.Match[str]) -> Stream:
    rest = found["rest"]
    size = _SIZE.search(rest)
    fps = _FPS.search(rest)
    sound = _SOUND.search(rest)
    return Stream(
        index=int(found["index"]),
        kind=found["kind"].lower(),
        codec=found["codec"],
        width=int(size[1]) if size else None,
        height=int(size[2]) if size else None,
        fps=(float(fps[1]) * (1000 if fps[2] else 1) or None) if fps else None,
        channels=_channels(sound[2]) if sound else None,
        sample_rate=int(sound[1]) if sound else None,
        attached_pic=_ATTACHED in rest,
    )


def _channels(layout: str) -> int | None:
    """`stereo`, `5.1(side)`, `7 channels`: the number of channels, None when it is not clear."""
    name = layout.partition("(")[0].strip()
    if name in _LAYOUTS:
        return _LAYOUTS[name]
    if found := re.match(r"(\d+) channels", name):
        return int(found[1])
    if re.fullmatch(r"\d+(\.\d+)+", name):
        return sum(map(int, name.split(".")))
    return None
