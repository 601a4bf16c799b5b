"""Bodies of large batches, kept in pieces until a worker has made jobs of them."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from jobs.models import BatchPart
from jobs.queue.database import engine_cursor
from jobs.states import FINAL

_COPY = "COPY jobs_batchpart (job_id, number, body) FROM STDIN (FORMAT BINARY)"


def keep(job_id: UUID, pieces: Iterable[bytes]) -> None:
    """Store what came with this job, piece by piece: one at a time is in memory."""
    with engine_cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(["uuid", "int4", "bytea"])
        for number, body in enumerate(pieces):
            copy.write_row((job_id, number, body))


def kept(job_id: UUID) -> Iterator[bytes]:
    """The pieces, one at a time."""
    parts = BatchPart.objects.filter(job_id=job_id)
    for number in range(parts.count()):
        yield bytes(parts.get(number=number).body)


def waiting(owner_id: int | None) -> int:
    """Of how many of this owner's batches there are pieces. Those of final ones go."""
    kept_for = BatchPart.objects.filter(job__owner=owner_id)
    kept_for.filter(job__status__in=FINAL).delete()
    return kept_for.filter(number=0).count()


def forget(job_id: UUID) -> None:
    """Delete them: they are needed no more."""
    BatchPart.objects.filter(job_id=job_id).delete()
