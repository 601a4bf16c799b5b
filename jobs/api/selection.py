"""Which jobs are meant: the filters of the list."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers

from jobs.api.fields import STATUSES, IdField, PriorityField, StrictSerializer, TextField
from jobs.models import Job
from jobs.queue.selection import Selection
from jobs.states import Status

MAX_DIGITS = 5
LARGEST_ID = 2**63 - 1
# Ids tell the time of the clock that made them, created_at that of the database.
CLOCKS_APART = timedelta(days=1)
MOST_IDS = 1000


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

    def walked(self, jobs: QuerySet[Job]) -> QuerySet[Job]:
        """Those of `jobs` that come into question, as far as an index of ids can tell."""
        asked = self.validated_data
        if "batch" in asked:
            jobs = jobs.filter(parent=asked["batch"])
        if "owner" in asked:
            jobs = jobs.filter(owner=asked["owner"])
        if asked.get("status") == Status.FAILED:
            jobs = jobs.filter(status=Status.FAILED)
        if "created_from" in asked:
            jobs = jobs.filter(id__gte=_first_id(asked["created_from"], -CLOCKS_APART))
        if "created_to" in asked:
            jobs = jobs.filter(id__lt=_first_id(asked["created_to"], CLOCKS_APART))
        return jobs


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
