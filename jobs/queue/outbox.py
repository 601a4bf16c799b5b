"""Hand over what happened to jobs to whoever tells of it, in order.

`jobs_tell` in outbox.sql writes the rows; OUTBOX_READER names who reads them.
"""

import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from jobs.queue.database import fetch

BATCH = 200
# One hands over at a time: of two, the later rows of a job could come before its earlier ones.
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('jobs_outbox'))"
_TAKE = """
WITH oldest AS MATERIALIZED (SELECT id FROM jobs_outbox ORDER BY id LIMIT %(batch)s),
taken AS (
  DELETE FROM jobs_outbox outbox USING oldest WHERE outbox.id = oldest.id
  RETURNING outbox.id, job_id, owner_id, callback_url, event, at, job
)
SELECT * FROM taken ORDER BY id
"""


class Happened(NamedTuple):
    """One thing that happened to a job. number: in order for each job. job: as it stood then."""

    number: int
    job_id: UUID
    owner_id: int | None
    callback_url: str | None
    event: str
    at: datetime
    job: dict[str, Any]


Reader = Callable[[Sequence[Happened]], None]


def hand_over(seconds: float = 0.1) -> bool:
    """Give rows to the reader for about so long, oldest first; what it writes and that the rows are
    gone is one commit. Returns whether more are left."""
    read: Reader = import_string(settings.OUTBOX_READER)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with transaction.atomic():
            [(mine,)] = fetch(_LOCK, {})
            happened = _take() if mine else []
            if happened:
                read(happened)
        # What was written beside this called nobody: it saw rows that were still there.
        if not happened:
            return False
    return True


def _take() -> list[Happened]:
    rows = [Happened(*row) for row in fetch(_TAKE, {"batch": BATCH})]
    return [row._replace(job=json.loads(str(row.job))) for row in rows]  # the engine has it as text
