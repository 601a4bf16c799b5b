"""The targets, and how each is made: one table. A preset is changed here and nowhere else.

The arguments are ffmpeg's output options. They were measured on ffmpeg 5.1 and 9.0 with 720p and
5.1 sound, audio only, and odd heights.
"""

from dataclasses import dataclass
from enum import StrEnum

from jobs.media.errors import MediaError


class Kind(StrEnum):
    """What a target is, which says what its source needs and what its output is checked for."""

    VIDEO = "video"
    AUDIO = "audio"
    ANIMATION = "animation"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Preset:
    """How one target is made.

    arguments: ffmpeg's output options with the muxer, without the file name.
    encoders: what ffmpeg must have been built with.
    wall_seconds: the longest an encode may take, whatever the source.
    max_seconds: only so much of the source is used; None is all of it.
    """

    name: str
    kind: Kind
    extension: str
    arguments: tuple[str, ...]
    encoders: frozenset[str]
    wall_seconds: float
    max_seconds: float | None = None


_CLEAN = "-sn -dn -map_metadata -1 -map_chapters -1"
# A capital V leaves out cover pictures. -fpsmax: some recorders state 1000 frames a second.
_VIDEO = f"-map 0:V:0 -map 0:a:0? {_CLEAN} -fpsmax 120"
_AUDIO = f"-map 0:a:0 -vn {_CLEAN}"
_PICTURE = f"-map 0:V:0 -an {_CLEAN}"
# yuv420p needs even sides; a picture one pixel wide has no even side below it.
_EVEN = "-vf scale=w='max(2,trunc(iw/2)*2)':h='max(2,trunc(ih/2)*2)',setsar=1"
_H264 = f"-c:v libx264 -preset veryfast -crf 23 -pix_fmt yuv420p -profile:v high {_EVEN}"
_AAC = "-c:a aac -b:a 128k -ac 2 -ar 48000"
_MP3_CBR = "-c:a libmp3lame -b:a 160k -ac 2 -ar 44100"
_FAST = "-movflags +faststart"
_OPUS = "-c:a libopus -b:a 96k -ac 2"
_VP9 = (
    f"-c:v libvpx-vp9 -crf 32 -b:v 0 -deadline good -cpu-used 5 -row-mt 1 -pix_fmt yuv420p {_EVEN}"
)
_XVID = f"-c:v mpeg4 -vtag xvid -q:v 4 -bf 0 -pix_fmt yuv420p {_EVEN}"
# Never larger than the source. The palette is made from what moves, so that it is not wasted.
_GIF = (
    "-vf fps=10,scale=w='min(480,iw)':h=-2:flags=lanczos,split[a][b];"
    "[a]palettegen=stats_mode=diff[p];[b][p]paletteuse=dither=bayer"
)
# Scaled before the choice, which holds 50 pictures in memory.
_STILL = "-frames:v 1 -vf scale=w='min(1280,iw)':h=-1,thumbnail=50"
# The muxer image2 would take a percent sign in the output's name for a pattern.
_JPEG = "-c:v mjpeg -q:v 3 -f image2pipe"

_HOUR = 3600.0


def _preset(
    name: str, kind: Kind, arguments: str, encoders: str, hours: float, seconds: float | None = None
) -> Preset:
    return Preset(
        name=name,
        kind=kind,
        extension=name,
        arguments=tuple(arguments.split()),
        encoders=frozenset(encoders.split()),
        wall_seconds=hours * _HOUR,
        max_seconds=seconds,
    )


_V, _A = Kind.VIDEO, Kind.AUDIO

TARGETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        _preset("mp4", _V, f"{_VIDEO} {_H264} {_AAC} {_FAST} -f mp4", "libx264 aac", 3),
        _preset("mov", _V, f"{_VIDEO} {_H264} {_AAC} {_FAST} -f mov", "libx264 aac", 3),
        _preset("mkv", _V, f"{_VIDEO} {_H264} {_AAC} -f matroska", "libx264 aac", 3),
        _preset("webm", _V, f"{_VIDEO} {_VP9} {_OPUS} -f webm", "libvpx-vp9 libopus", 12),
        _preset("avi", _V, f"{_VIDEO} {_XVID} {_MP3_CBR} -f avi", "mpeg4 libmp3lame", 3),
        _preset("mp3", _A, f"{_AUDIO} -c:a libmp3lame -q:a 2 -ar 44100 -f mp3", "libmp3lame", 1),
        _preset("wav", _A, f"{_AUDIO} -c:a pcm_s16le -rf64 auto -f wav", "pcm_s16le", 1),
        _preset("flac", _A, f"{_AUDIO} -c:a flac -f flac", "flac", 1),
        _preset("m4a", _A, f"{_AUDIO} {_AAC} {_FAST} -f ipod", "aac", 1),
        _preset("ogg", _A, f"{_AUDIO} {_OPUS} -f ogg", "libopus", 1),
        _preset("gif", Kind.ANIMATION, f"{_PICTURE} {_GIF} -loop 0 -f gif", "gif", 0.25, 5),
        _preset("jpg", Kind.IMAGE, f"{_PICTURE} {_STILL} {_JPEG}", "mjpeg", 0.25),
    )
}

ALIASES = {"jpeg": "jpg"}


def find_preset(target: str) -> Preset:
    """The preset of a target's name or alias, in any case.

    Raises MediaError `unsupported_target`.
    """
    name = target.lower()
    preset = TARGETS.get(ALIASES.get(name, name))
    if preset is None:
        known = ", ".join(sorted(TARGETS))
        raise MediaError("unsupported_target", f"Cannot make {target!r}. Known targets: {known}.")
    return preset
