"""A file from the service, whole or not at all."""

import hashlib
import time
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import httpx

from mediaproc.client.errors import Unreachable
from mediaproc.client.transport import Transport, pauses

UNNAMED = "output"


def download(transport: Transport, path: str, target: Path) -> Path:
    """Fetch it to `target`, or into this folder under the name that the service gives.

    What has come stays beside it in a hidden `.part`, one for each version (ETag) of the file, and
    goes on from there, also in a later call. Raises Unreachable, ApiError.
    """
    answer = _ask(transport, path, {})
    part = _Part.of(answer, target)
    if rest := part.rest():
        answer.close()
        answer = _ask(transport, path, rest)
    deadline = time.monotonic() + transport.patience
    for pause in pauses():
        if answer.status_code != httpx.codes.PARTIAL_CONTENT:  # from the start, perhaps a new one
            part = _Part.of(answer, target)
        before = part.size()
        try:
            part.take(answer)
        except httpx.TransportError as error:
            if part.size() > before:
                deadline = time.monotonic() + transport.patience
            elif time.monotonic() + pause > deadline:
                raise Unreachable(f"The download breaks off again and again: {error}") from error
        else:
            part.path.replace(part.whole)
            return part.whole
        time.sleep(pause)
        answer = _ask(transport, path, part.rest())
    raise AssertionError("pauses never end")


def _ask(transport: Transport, path: str, headers: dict[str, str]) -> httpx.Response:
    headers = {"Accept": "*/*", "Accept-Encoding": "identity", **headers}
    return transport.request("GET", path, headers=headers, stream=True)


@dataclass(frozen=True)
class _Part:
    """What has come of one version of a file. whole: what it becomes. length: of all of it."""

    path: Path
    whole: Path
    etag: str
    length: int

    @classmethod
    def of(cls, answer: httpx.Response, target: Path) -> "_Part":
        """That of the version that this answer holds."""
        whole = target / _name(answer) if target.is_dir() else target
        etag, length = answer.headers.get("ETag", ""), int(answer.headers.get("Content-Length", 0))
        version = hashlib.sha256(etag.encode()).hexdigest()[:16]
        return cls(whole.with_name(f".{whole.name}.{version}.part"), whole, etag, length)

    def size(self) -> int:
        """Bytes that have come."""
        return self.path.stat().st_size if self.path.exists() else 0

    def rest(self) -> dict[str, str]:
        """The headers that ask for what is missing; none when that is all or nothing of it, or
        when nothing says whether it is the same file still."""
        size = self.size()
        if not 0 < size < self.length or not self.etag or self.etag.startswith("W/"):
            return {}
        return {"Range": f"bytes={size}-", "If-Range": self.etag}

    def take(self, answer: httpx.Response) -> None:
        """Keep what comes. Raises TransportError when not all of it does."""
        mode = "ab" if answer.status_code == httpx.codes.PARTIAL_CONTENT else "wb"
        with closing(answer), self.path.open(mode) as file:
            for chunk in answer.iter_raw():
                file.write(chunk)


def _name(answer: httpx.Response) -> str:
    """The name that the service gives, and no folder with it."""
    header = Message()
    header["Content-Disposition"] = answer.headers.get("Content-Disposition", "")
    name = Path((header.get_filename() or "").replace("\\", "/")).name
    return name if name.isprintable() and name not in {"", ".", ".."} else UNNAMED
