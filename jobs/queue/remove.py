"""Delete jobs that have ended, with all that is kept about them."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import structlog
from django.db import connection, transaction

from jobs import storage

# Whoever works on a row this moment keeps it: it is not waited for.
_LOCK = """
SELECT id FROM jobs_job
WHERE id = ANY(%s) AND status IN ('COMPLETED', 'FAILED', 'CANCELLED')
ORDER BY id
FOR UPDATE SKIP LOCKED
"""
# The database does not check these references; the job goes last.
_DELETE = (
    "DELETE FROM jobs_jobattempt WHERE job_id = ANY(%s)",
    "DELETE FROM jobs_jobevent WHERE job_id = ANY(%s)",
    "DELETE FROM jobs_jobcheckpoint WHERE job_id = ANY(%s)",
    "DELETE FROM jobs_batchpart WHERE job_id = ANY(%s)",
    "DELETE FROM jobs_jobmetrics WHERE job_id = ANY(%s)",
    "DELETE FROM jobs_job WHERE id = ANY(%s)",
)

log = structlog.get_logger(__name__)


def remove(ids: Sequence[UUID]) -> list[UUID]:
    """Delete those of these jobs that are final and that nobody has locked, and after the commit
    their outputs. Returns their ids.

    A crash before the outputs are gone leaves folders without a job, which `orphans` sweeps.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(ids)])
        locked = [job_id for (job_id,) in cursor.fetchall()]
        if locked:
            for sql in _DELETE:
                cursor.execute(sql, [locked])
            transaction.on_commit(partial(delete_outputs, locked))
    return locked


def delete_outputs(ids: Sequence[UUID]) -> int:
    """Delete the output folders of jobs that are gone; what cannot be deleted is logged. Returns
    how many went without trouble."""
    deleted = 0
    for job_id in ids:
        try:
            storage.delete_outputs(job_id)
            deleted += 1
        except OSError as error:
            log.warning("outputs.not_deleted", job_id=str(job_id), error=str(error))
    return deleted
