"""Read what ffprobe says as JSON."""

import json
from typing import Any

from jobs.media.info import MediaInfo, Stream

# What is asked for, and no more: tags can be large, and their author is not trusted.
_ENTRIES = (
    "format=format_name,duration:stream=index,codec_type,codec_name,width,height,avg_frame_rate,"
    "channels,sample_rate,duration:stream_disposition=attached_pic"
)
OPTIONS = ("-of", "json=compact=1", "-show_entries", _ENTRIES)


def parse(text: bytes) -> MediaInfo | None:
    """The file as ffprobe sees it; None when it could not be read."""
    try:
        answer: dict[str, Any] = json.loads(text)
    except ValueError:
        return None
    container = answer.get("format")
    if not container:
        return None
    return MediaInfo(
        container=container.get("format_name", ""),
        duration=_positive(container.get("duration")),
        streams=tuple(_stream(entry) for entry in answer.get("streams", ())),
    )


def _stream(entry: dict[str, Any]) -> Stream:
    return Stream(
        index=entry["index"],
        kind=entry.get("codec_type", "unknown"),
        codec=entry.get("codec_name", "unknown"),
        width=entry.get("width") or None,
        height=entry.get("height") or None,
        fps=_ratio(entry.get("avg_frame_rate", "")),
        channels=entry.get("channels") or None,
        sample_rate=int(entry.get("sample_rate") or 0) or None,
        attached_pic=bool(entry.get("disposition", {}).get("attached_pic")),
        duration=_positive(entry.get("duration")),
    )


def _positive(text: str | None) -> float | None:
    try:
        seconds = float(text or 0)
    except ValueError:
        return None
    return seconds if seconds > 0 else None


def _ratio(text: str) -> float | None:
    numerator, _, denominator = text.partition("/")
    try:
        return float(numerator) / float(denominator) or None
    except (ValueError, ZeroDivisionError):
        return None
