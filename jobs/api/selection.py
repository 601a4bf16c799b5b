"""Which jobs are meant: the filters of the list."""

from rest_framework import serializers

from jobs.api.fields import STATUSES, PriorityField, StrictSerializer, TextField
from jobs.queue.selection import Selection

MAX_DIGITS = 5


class PriorityFilter(PriorityField):
    """A priority in an address, where a number is text too."""

    def to_internal_value(self, data: str) -> int:
        """The number of a priority."""
        digits = data.isascii() and data.isdigit() and len(data) < MAX_DIGITS
        return super().to_internal_value(int(data) if digits else data)


class SelectionSerializer(StrictSerializer):
    """Filters that all have to hold; none given means every job."""

    status = serializers.ChoiceField(choices=STATUSES, required=False)
    job_type = TextField(max_length=50, required=False)
    error_code = TextField(max_length=50, required=False)
    priority = PriorityFilter(required=False)
    created_from = serializers.DateTimeField(required=False)
    created_to = serializers.DateTimeField(required=False)

    def selection(self) -> Selection:
        """What was asked for, once it is valid."""
        return Selection(**self.validated_data)
