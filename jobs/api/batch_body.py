"""What comes with POST jobs/batch: read to a temporary file, at most so many bytes of it."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from jobs.api.parsers import PayloadTooLarge

JSON = "application/json"
CSV = "text/csv"
PIECE = 1_048_576


@dataclass(frozen=True, slots=True)
class Body:
    """file: all of it. lines: how many line ends it has. fingerprint: its SHA-256."""

    file: IO[bytes]
    media_type: str
    size: int
    lines: int
    fingerprint: str

    def pieces(self) -> Iterator[bytes]:
        """From the beginning, a megabyte at a time."""
        self.file.seek(0)
        while piece := self.file.read(PIECE):
            yield piece


class _BatchParser(BaseParser):
    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """A Body. Raises PayloadTooLarge as soon as the limit is passed."""
        most = settings.BATCH_MAX_MB * PIECE
        file = tempfile.SpooledTemporaryFile(max_size=PIECE)  # noqa: SIM115 - goes with the body
        size = lines = 0
        digest = sha256()
        while piece := stream.read(PIECE):
            size += len(piece)
            lines += piece.count(b"\n")
            if size > most:
                raise PayloadTooLarge(f"The body is larger than {most} bytes.")
            digest.update(piece)
            file.write(piece)
        return Body(file, self.media_type, size, lines, digest.hexdigest())


class BatchJSON(_BatchParser):
    """An array of jobs."""

    media_type = JSON


class BatchCSV(_BatchParser):
    """A line a job, after a line of column names."""

    media_type = CSV
