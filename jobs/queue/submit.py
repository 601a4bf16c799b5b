"""Put jobs into the queue: one at a time, or in bulk by COPY."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs.models import Job, new_id
from jobs.priorities import DEFAULT
from jobs.queue.database import Jsonb, Statement, engine_cursor, fetch
from jobs.queue.signal import announce
from jobs.states import Status

_COLUMNS = (
    "id, job_type, source_file, target_format, parameters, priority, max_attempts, owner_id,"
    " created_at, status, scheduled_at, queued_at"
)
# A job whose time has not come waits as PENDING; the database's clock decides.
_INSERT = Statement(
    f"""
INSERT INTO jobs_job ({_COLUMNS})
SELECT $1::uuid, $2::text, $3::text, $4::text, $5::jsonb, $6::smallint, $7::smallint, $8::bigint,
       moment,
       CASE WHEN at > moment THEN '{Status.PENDING}' ELSE '{Status.QUEUED}' END,
       at,
       CASE WHEN at > moment THEN NULL ELSE moment END
FROM (SELECT $9::timestamptz AS at, clock_timestamp() AS moment) AS clock
RETURNING json_build_array(status, created_at, queued_at)
"""  # noqa: S608 - constants of this module only
)
_COPY = f"COPY jobs_job ({_COLUMNS}) FROM STDIN"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be. Its values were checked by the processor of its type."""

    job_type: str
    source_file: str = ""
    target_format: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    priority: int = DEFAULT
    max_attempts: int = 3
    owner_id: int | None = None
    scheduled_at: datetime | None = None


def submit(new: NewJob) -> Job:
    """Insert one job and, once the transaction commits, wake a worker.

    The job comes back as it stands in the database: QUEUED, or PENDING until `scheduled_at`.
    """
    job_id = new_id()
    answer = _INSERT.run(
        str(job_id),
        new.job_type,
        new.source_file,
        new.target_format,
        json.dumps(dict(new.parameters), ensure_ascii=False),
        str(new.priority),
        str(new.max_attempts),
        None if new.owner_id is None else str(new.owner_id),
        None if new.scheduled_at is None else new.scheduled_at.isoformat(),
    )
    status, created_at, queued_at = json.loads(answer)
    transaction.on_commit(lambda: announce(new.priority), robust=True)
    return Job(
        id=job_id,
        job_type=new.job_type,
        source_file=new.source_file,
        target_format=new.target_format,
        parameters=dict(new.parameters),
        priority=new.priority,
        max_attempts=new.max_attempts,
        owner_id=new.owner_id,
        scheduled_at=new.scheduled_at,
        status=status,
        created_at=datetime.fromisoformat(created_at),
        queued_at=queued_at and datetime.fromisoformat(queued_at),
    )


def submit_many(new_jobs: Iterable[NewJob]) -> list[UUID]:
    """Insert many jobs in one COPY, all or none, and wake workers once. Returns ids in order.

    All must be due: a `scheduled_at` is refused with ValueError.
    """
    ids: list[UUID] = []
    priorities: set[int] = set()
    [(moment,)] = fetch("SELECT clock_timestamp()", {})
    with transaction.atomic(), engine_cursor() as cursor, cursor.copy(_COPY) as copy:
        for new in new_jobs:
            if new.scheduled_at is not None:
                raise ValueError("submit_many takes jobs that are due now")
            ids.append(new_id())
            priorities.add(new.priority)
            copy.write_row(
                (
                    ids[-1],
                    new.job_type,
                    new.source_file,
                    new.target_format,
                    Jsonb(dict(new.parameters)),
                    new.priority,
                    new.max_attempts,
                    new.owner_id,
                    moment,
                    Status.QUEUED.value,
                    None,
                    moment,
                )
            )
    transaction.on_commit(lambda: announce(*priorities), robust=True)
    return ids
