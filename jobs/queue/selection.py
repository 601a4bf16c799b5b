"""Which jobs are meant: by a list, or by what is done to many at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions that all have to hold; None asks nothing, so `Selection()` means every job.

    owner: the owner's primary key. batch: the jobs that came with it. created_from is
    included, created_to is not. ids: no ids, no jobs.
    """

    status: str | None = None
    job_type: str | None = None
    error_code: str | None = None
    priority: int | None = None
    owner: int | None = None
    batch: UUID | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    ids: Collection[UUID] | None = None

    def condition(self) -> Q:
        """For `Job.objects.filter()`."""
        asked = {
            "status": self.status,
            "job_type": self.job_type,
            "error_code": self.error_code,
            "priority": self.priority,
            "owner_id": self.owner,
            "parent_id": self.batch,
            "created_at__gte": self.created_from,
            "created_at__lt": self.created_to,
            "id__in": self.ids,
        }
        return Q(**{lookup: value for lookup, value in asked.items() if value is not None})


EVERYTHING = Selection()
