"""Which jobs are meant: the filters of the list."""

from typing import Any

from rest_framework import serializers

from jobs.api.fields import PriorityField, StrictSerializer, TextField
from jobs.queue.selection import Selection
from jobs.states import Status

MAX_DIGITS = 5
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

    status = serializers.ChoiceField(choices=[status.value for status in Status], required=False)
    job_type = TextField(max_length=50, required=False)
    error_code = TextField(max_length=50, required=False)
    owner = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    priority = PriorityFilter(required=False)
    created_from = serializers.DateTimeField(required=False)
    created_to = serializers.DateTimeField(required=False)

    def selection(self) -> Selection:
        """What was asked for, once it is valid."""
        return Selection(**self.validated_data)


class BulkSerializer(SelectionSerializer):
    """The body of what is done to many jobs: at least one filter, so that nobody means all of them
    by a slip."""

    ids = serializers.ListField(
        child=serializers.UUIDField(), max_length=MOST_IDS, allow_empty=False, required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Some are meant."""
        if not attrs:
            raise serializers.ValidationError("Give ids or a filter.", code="required")
        return attrs
