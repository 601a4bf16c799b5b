"""Which jobs are meant: the filters of the list."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from rest_framework import serializers

from jobs.api.fields import STATUSES, IdField, PriorityField, StrictSerializer, TextField
from jobs.api.ownership import has_batch
from jobs.api.walks import Walk, along
from jobs.models import STATUSES_BY_ID, Job
from jobs.queue.selection import Selection
from jobs.stats.ended import NOBODY

MAX_DIGITS = 5
LARGEST_ID = 2**63 - 1
# Ids tell the time of the clock that made them, created_at that of the database.
CLOCKS_APART = timedelta(days=1)
MOST_IDS = 1000

_NOTHING = Walk(Job.objects.none())


class PriorityFilter(PriorityField):
    """A priority in an address, where a number is text too."""

    def to_internal_value(self, data: Any) -> int:
        """The number of a priority."""
        digits = (
            isinstance(data, str) and data.isascii() and data.isdigit() and len(data) < MAX_DIGITS
        )
        return super().to_internal_value(int(data) if digits else data)


class SelectionSerializer(StrictSerializer):
    """Filters that all have to hold; none given means every job."""

    status = serializers.ChoiceField(choices=STATUSES, required=False)
    job_type = TextField(max_length=50, required=False)
    error_code = TextField(max_length=50, required=False)
    priority = PriorityFilter(required=False)
    owner = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    batch = IdField(required=False)
    created_from = serializers.DateTimeField(required=False)
    created_to = serializers.DateTimeField(required=False)

    def selection(self) -> Selection:
        """What was asked for, once it is valid."""
        return Selection(**self.validated_data)

    def walks(self, whose: int | None, rest: Q) -> list[Walk[Job]]:
        """Ways to the jobs that were asked for: along the index of a batch or an owner, of what
        FAILED or is IN_PROGRESS, or of all ids. Called inside `by_walks`.

        whose: of this owner's only, NOBODY for those without one. rest: what must hold beside.
        """
        asked = self.selection()
        if whose is not None and asked.owner not in {None, whose}:
            return [_NOTHING]
        near = Job.objects.select_related("metrics").filter(self._near())
        if asked.batch is not None:
            if not has_batch(whose, asked.batch):
                return [_NOTHING]
            rest &= replace(asked, batch=None).condition()
            return [along("parent_id", asked.batch, near, rest)]
        walks = []
        if whose == NOBODY:  # no index has these
            rest &= Q(owner=None)
        elif whose is not None:
            asked = replace(asked, owner=whose)
        if asked.status in STATUSES_BY_ID:
            others = rest & replace(asked, status=None).condition()
            walks.append(Walk(near.filter(status=asked.status), others))
        if asked.owner is not None:
            others = rest & replace(asked, owner=None).condition()
            walks.append(along("owner_id", asked.owner, near, others))
        return walks or [Walk(near, rest & asked.condition())]

    def _near(self) -> Q:
        """Ids of about the time that was asked for."""
        asked, near = self.validated_data, Q()
        if "created_from" in asked:
            near &= Q(id__gte=_first_id(asked["created_from"], -CLOCKS_APART))
        if "created_to" in asked:
            near &= Q(id__lt=_first_id(asked["created_to"], CLOCKS_APART))
        return near


def _first_id(moment: datetime, shift: timedelta) -> UUID:
    """The least UUIDv7 of the millisecond, `shift` later."""
    milliseconds = int((moment.timestamp() + shift.total_seconds()) * 1000)
    return UUID(int=min(max(milliseconds, 0), 2**48 - 1) << 80)


class BulkSerializer(SelectionSerializer):
    """The body of what is done to many jobs: at least one filter, so that nobody means all of them
    by a slip."""

    says_something = True

    ids = serializers.ListField(
        child=IdField(), min_length=1, max_length=MOST_IDS, allow_empty=False, required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Some are meant."""
        if not attrs:
            raise serializers.ValidationError("Give ids or a filter.", code="required")
        return attrs
