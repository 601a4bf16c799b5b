"""Put jobs into the queue: one at a time, or in bulk by COPY."""

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs.models import Job, Listener, new_id
from jobs.priorities import DEFAULT
from jobs.queue.database import Jsonb, engine_cursor, fetch
from jobs.queue.limits import Limit, owner_key, release, stricter
from jobs.queue.signal import announce
from jobs.statement import Statement
from jobs.states import Status

_COLUMNS = (
    "id, job_type, source_file, target_format, parameters, priority, max_attempts, owner_id,"
    " created_at, status, scheduled_at, queued_at, name, expires_at, soft_limit_seconds,"
    " hard_limit_seconds, replay_of, source_bytes, estimated_seconds, throttle_key,"
    " metadata, callback_url, parent_id, notify"
)
# A job whose time has not come waits as PENDING; the database's clock decides.
_INSERT = Statement(
    f"""
INSERT INTO jobs_job ({_COLUMNS})
SELECT $1::uuid, $2::text, $3::text, $4::text, $5::jsonb, $6::smallint, $7::smallint, $8::bigint,
       moment, state, at, CASE state WHEN '{Status.QUEUED}' THEN moment END,
       $10::text, greatest(moment, at) + make_interval(secs => $11::float8), $12::float8,
       $13::float8, $14::uuid, $15::bigint, $16::float8, $17::text,
       $19::jsonb, $20::text, $21::uuid, NOT $22::boolean AND ($20::text IS NOT NULL
         OR $8 IS NOT NULL AND EXISTS (SELECT FROM jobs_listener WHERE owner_id = $8::bigint))
FROM (SELECT $9::timestamptz AS at, clock_timestamp() AS moment) AS clock
CROSS JOIN LATERAL (
  SELECT CASE WHEN at > moment THEN '{Status.PENDING}'
    WHEN $17::text <> '' AND jobs_at_limit($17, $18) THEN '{Status.THROTTLED}'
    ELSE '{Status.QUEUED}' END AS state
) AS beginning
RETURNING json_build_array(status, created_at, queued_at, expires_at)
"""  # noqa: S608 - constants of this module only
)
_COPY = f"COPY jobs_job ({_COLUMNS}) FROM STDIN"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be. Its values were checked by the processor of its type.

    scheduled_at: not before then; with a zone. expires_in: FAILED as expired unless it is started
    within so many seconds, counted from the time it is due; None for never. soft_limit_seconds,
    hard_limit_seconds: None for the type's. replay_of: the job that it repeats. parent_id: the
    batch that it came with. concurrent_jobs: how many of its owner may be in work, beside
    CONCURRENT_JOBS_LIMIT; 0 for any number. internal: the service's own work for the owner, of
    which nobody is told and which his limits do not count; of others the callback_url is told, and
    the owner where he listens.
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
    metadata: Mapping[str, Any] | None = None
    callback_url: str | None = None
    parent_id: UUID | None = None
    source_bytes: int | None = None
    estimated_seconds: float | None = None
    concurrent_jobs: int = 0
    internal: bool = False


def submit(new: NewJob) -> Job:
    """Insert one job and, once the transaction commits, wake a worker.

    The job comes back as it stands in the database: QUEUED, PENDING until `scheduled_at`, or
    THROTTLED while its owner has as many in work as may be.
    """
    job_id = new_id()
    most = stricter(settings.CONCURRENT_JOBS_LIMIT, new.concurrent_jobs)
    key = _throttle_key(new)
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
        key,
        str(most),
        None if new.metadata is None else json.dumps(dict(new.metadata), ensure_ascii=False),
        new.callback_url,
        _text(new.parent_id),
        str(new.internal),
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
        metadata=new.metadata,
        callback_url=new.callback_url,
        parent_id=new.parent_id,
        source_bytes=new.source_bytes,
        estimated_seconds=new.estimated_seconds,
        throttle_key=key,
        status=status,
        created_at=datetime.fromisoformat(created_at),
        queued_at=queued_at and datetime.fromisoformat(queued_at),
        expires_at=expires_at and datetime.fromisoformat(expires_at),
    )


def submit_many(new_jobs: Iterable[NewJob], limit: Limit | None = None) -> list[UUID]:
    """Insert many jobs in one COPY, all or none, and wake workers once. Returns ids in order.

    limit: of all of them, in place of that of an owner's jobs. Those that have a limit all wait as
    THROTTLED at first, and as many as may are released.
    """
    ids: list[UUID] = []
    priorities: set[int] = set()
    limited = False
    [(moment,)] = fetch("SELECT clock_timestamp()", {})
    listeners = set(Listener.objects.values_list("owner_id", flat=True))
    with transaction.atomic(), engine_cursor() as cursor, cursor.copy(_COPY) as copy:
        for new in new_jobs:
            ids.append(new_id())
            priorities.add(new.priority)
            key = limit.key(new.owner_id) if limit else _throttle_key(new)
            limited = limited or bool(key)
            copy.write_row(_row(ids[-1], new, moment, key, listeners))
    if limited:
        release()
    transaction.on_commit(lambda: announce(*priorities), robust=True)
    return ids


def _row(
    job_id: UUID, new: NewJob, moment: datetime, key: str, listeners: Set[int]
) -> tuple[object, ...]:
    """The values of _COLUMNS."""
    due = moment if new.scheduled_at is None else max(moment, new.scheduled_at)
    status = Status.THROTTLED if key else Status.QUEUED
    if due > moment:
        status = Status.PENDING
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
        status.value,
        new.scheduled_at,
        moment if status == Status.QUEUED else None,
        new.name,
        None if new.expires_in is None else due + timedelta(seconds=new.expires_in),
        new.soft_limit_seconds,
        new.hard_limit_seconds,
        new.replay_of,
        new.source_bytes,
        new.estimated_seconds,
        key,
        None if new.metadata is None else Jsonb(dict(new.metadata)),
        new.callback_url,
        new.parent_id,
        not new.internal and (new.callback_url is not None or new.owner_id in listeners),
    )


def _throttle_key(new: NewJob) -> str:
    """Blank for a job without a limit."""
    limited = not new.internal and (settings.CONCURRENT_JOBS_LIMIT or new.concurrent_jobs)
    return owner_key(new.owner_id) if limited else ""


def _text(value: object) -> str | None:
    return None if value is None else str(value)
