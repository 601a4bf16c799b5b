"""Output folders whose job is gone: what a crash between a row and its files leaves behind."""

import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from uuid import UUID

from django.db import connection

from jobs import storage
from jobs.queue.remove import delete_outputs

BATCH = 500
OLDER_THAN_SECONDS = 86_400.0
# Ids end in random digits, so each share is about as large.
SHARES = 16

_THERE = "SELECT id FROM jobs_job WHERE id = ANY(%s)"


def sweep_orphans(share: int | None = None) -> Iterator[int]:
    """Delete folders without a job in which nothing changed for a day; yields after every few how
    many went.

    share: only folders whose id ends in this hexadecimal digit. None: all.
    """
    folders = (
        job_id for job_id in storage.output_folders() if share in (None, job_id.int % SHARES)
    )
    while batch := list(islice(folders, BATCH)):
        yield delete_outputs([job_id for job_id in _gone(batch) if _is_old(job_id)])


def _gone(ids: list[UUID]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_THERE, [ids])
        there = {job_id for (job_id,) in cursor.fetchall()}
    return [job_id for job_id in ids if job_id not in there]


def _is_old(job_id: UUID) -> bool:
    with suppress(FileNotFoundError):
        return time.time() - storage.outputs_changed_at(job_id) > OLDER_THAN_SECONDS
    return False
