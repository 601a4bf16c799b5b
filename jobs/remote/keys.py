"""What remote workers are given to prove with: lease tokens, and keys of addresses.

Signed, not stored. A lease token holds as long as the row bears its lease; a key for a few minutes.
"""

from typing import Any, NamedTuple
from uuid import UUID

from django.core import signing

from jobs.remote.errors import BadKey, LeaseLost

KEY_SECONDS = 600

SOURCE = "source"
OUTPUT = "output"
DOWNLOAD = "download"

_SALT = "jobs.remote."


class Lease(NamedTuple):
    """An attempt that a remote worker has. user_id: whose token it was claimed with."""

    job_id: UUID
    number: int
    worker_id: UUID
    user_id: int


def lease_token(lease: Lease) -> str:
    """The token of a lease."""
    return _signed("lease", [lease.job_id.hex, lease.number, lease.worker_id.hex, lease.user_id])


def read_lease(token: str, job_id: UUID, user_id: int) -> Lease:
    """The lease of a token. Raises LeaseLost, also where it is of another job or user."""
    try:
        job, number, worker, user = signing.loads(token, salt=f"{_SALT}lease")
    except signing.BadSignature:
        raise LeaseLost from None
    lease = Lease(UUID(job), number, UUID(worker), user)
    if (lease.job_id, lease.user_id) != (job_id, user_id):
        raise LeaseLost
    return lease


def key(purpose: str, job_id: UUID, lease: int) -> str:
    """A key of one address of one attempt."""
    return _signed(purpose, [job_id.hex, lease])


def read_key(purpose: str, text: str, job_id: UUID, seconds: int = KEY_SECONDS) -> int:
    """The lease that a key is of. Raises BadKey: changed, expired, or of another job or purpose."""
    try:
        job, lease = signing.loads(text, salt=f"{_SALT}{purpose}", max_age=seconds)
    except signing.BadSignature:
        raise BadKey from None
    if UUID(job) != job_id:
        raise BadKey
    return int(lease)


def _signed(purpose: str, value: Any) -> str:
    return signing.dumps(value, salt=f"{_SALT}{purpose}")
