"""Put jobs into the queue: one at a time, or in bulk by COPY."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
    " created_at, status, scheduled_at, queued_at, name, expires_at, soft_limit_seconds,"
    " hard_limit_seconds, replay_of, source_bytes, estimated_seconds"
)
# A job whose time has not come waits as PENDING; the database's clock decides.
_INSERT = Statement(
    f"""
INSERT INTO jobs_job ({_COLUMNS})
SELECT $1::uuid, $2::text, $3::text, $4::text, $5::jsonb, $6::smallint, $7::smallint, $8::bigint,
       moment,
       CASE WHEN at > moment THEN '{Status.PENDING}' ELSE '{Status.QUEUED}' END,
       at,
       CASE WHEN at > moment THEN NULL ELSE moment END,
       $10::text, greatest(moment, at) + make_interval(secs => $11::float8), $12::float8,
       $13::float8, $14::uuid, $15::bigint, $16::float8
FROM (SELECT $9::timestamptz AS at, clock_timestamp() AS moment) AS clock
RETURNING json_build_array(status, created_at, queued_at, expires_at)
"""  # noqa: S608 - constants of this module only
)
_COPY = f"COPY jobs_job ({_COLUMNS}) FROM STDIN"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be. Its values were checked by the processor of its type.

    scheduled_at: not before then; with a zone. expires_in: FAILED as expired unless it is started
    within so many seconds, counted from the time it is due; None for never. soft_limit_seconds,
    hard_limit_seconds: None for the type's. replay_of: the job that it repeats.
    """

    job_type: str
    source_file: str = ""
    target_format: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    priority: int = DEFAULT
    max_attempts: int = 3
    owner_id: int | None = None
    scheduled_at: datetime | None = None
    name: str = ""
    expires_in: float | None = None
    soft_limit_seconds: float | None = None
    hard_limit_seconds: float | None = None
    replay_of: UUID | None = None
    source_bytes: int | None = None
    estimated_seconds: float | None = None


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
        _text(new.owner_id),
        None if new.scheduled_at is None else new.scheduled_at.isoformat(),
        new.name,
        _text(new.expires_in),
        _text(new.soft_limit_seconds),
        _text(new.hard_limit_seconds),
        _text(new.replay_of),
        _text(new.source_bytes),
        _text(new.estimated_seconds),
    )
    status, created_at, queued_at, expires_at = json.loads(answer)
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
        name=new.name,
        soft_limit_seconds=new.soft_limit_seconds,
        hard_limit_seconds=new.hard_limit_seconds,
        replay_of=new.replay_of,
        source_bytes=new.source_bytes,
        estimated_seconds=new.estimated_seconds,
        status=status,
        created_at=datetime.fromisoformat(created_at),
        queued_at=queued_at and datetime.fromisoformat(queued_at),
        expires_at=expires_at and datetime.fromisoformat(expires_at),
    )


def submit_many(new_jobs: Iterable[NewJob]) -> list[UUID]:
    """Insert many jobs in one COPY, all or none, and wake workers once. Returns ids in order."""
    ids: list[UUID] = []
    priorities: set[int] = set()
    [(moment,)] = fetch("SELECT clock_timestamp()", {})
    with transaction.atomic(), engine_cursor() as cursor, cursor.copy(_COPY) as copy:
        for new in new_jobs:
            ids.append(new_id())
            priorities.add(new.priority)
            copy.write_row(_row(ids[-1], new, moment))
    transaction.on_commit(lambda: announce(*priorities), robust=True)
    return ids


def _row(job_id: UUID, new: NewJob, moment: datetime) -> tuple[object, ...]:
    """The values of _COLUMNS."""
    due = moment if new.scheduled_at is None else max(moment, new.scheduled_at)
    waits = due > moment
    return (
        job_id,
        new.job_type,
        new.source_file,
        new.target_format,
        Jsonb(dict(new.parameters)),
        new.priority,
        new.max_attempts,
        new.owner_id,
        moment,
        Status.PENDING.value if waits else Status.QUEUED.value,
        new.scheduled_at,
        None if waits else moment,
        new.name,
        None if new.expires_in is None else due + timedelta(seconds=new.expires_in),
        new.soft_limit_seconds,
        new.hard_limit_seconds,
        new.replay_of,
        new.source_bytes,
        new.estimated_seconds,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
