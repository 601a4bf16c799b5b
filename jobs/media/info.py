"""What a media file holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream. What does not apply to its kind, or is not known, is None.

    kind: video, audio, subtitle, data or attachment. duration: seconds.
    attached_pic: a cover picture, which ffmpeg calls a video stream.
    """

    index: int
    kind: str
    codec: str
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    channels: int | None = None
    sample_rate: int | None = None
    attached_pic: bool = False
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """A probed file.

    container: ffmpeg's name, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    duration: seconds, None when unknown.
    duration_is_estimate: worked out from a bit rate or from time stamps, so it may be far off.
    """

    container: str
    duration: float | None
    streams: tuple[Stream, ...]
    duration_is_estimate: bool = False

    @property
    def video(self) -> Stream | None:
        """The first real video stream (cover pictures do not count)."""
        return next((s for s in self.streams if s.kind == "video" and not s.attached_pic), None)

    @property
    def audio(self) -> Stream | None:
        """The first audio stream."""
        return next((s for s in self.streams if s.kind == "audio"), None)
