"""When a job is to start: how a request says it."""

from datetime import UTC, datetime
from typing import Any, NoReturn

from rest_framework import serializers

from jobs.submission import check_moment

IMMEDIATE = "immediate"
SCHEDULED = "scheduled"


class ScheduledAtField(serializers.Field[datetime, Any, str, datetime]):
    """ISO 8601 with a zone, in UTC inside.

    A moment that has passed is refused with status 422, by raising
    `jobs.processors.contract.Invalid`: it is well-formed, and a minute ago it was right.
    """

    default_error_messages = {  # noqa: RUF012 - REST framework merges these by class
        "invalid": "Give a moment in ISO 8601, for example 2030-01-31T08:30:00+01:00.",
        "no_zone": "Give the moment with its zone: 2030-01-31T08:30:00Z or ...+01:00.",
    }

    def to_internal_value(self, data: Any) -> datetime:
        """The moment in UTC. Raises Invalid when it has passed or is too far away."""
        moment = self._read(data)
        check_moment(moment, str(self.field_name))
        return moment

    def to_representation(self, value: datetime) -> str:
        """In UTC with a `Z`."""
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _read(self, data: Any) -> datetime:
        if not isinstance(data, str):
            self._refuse("invalid")
        try:
            moment = datetime.fromisoformat(data)
        except ValueError:
            self._refuse("invalid")
        if moment.tzinfo is None:
            self._refuse("no_zone")
        try:
            return moment.astimezone(UTC)
        except OverflowError:  # in the last hours of the year 9999
            self._refuse("invalid")

    def _refuse(self, code: str) -> NoReturn:
        self.fail(code)


class SchedulingSerializer(serializers.Serializer[Any]):
    """To inherit from: the fields that say when a job is to start, in any accepted spelling.

    `scheduled_time` is `scheduled_at`; `schedule_type` may say what is meant and must agree. After
    validation `scheduled_at` alone is left: None for at once.
    """

    scheduled_at = ScheduledAtField(default=None, allow_null=True)
    scheduled_time = ScheduledAtField(default=None, allow_null=True)
    schedule_type = serializers.ChoiceField(
        choices=[IMMEDIATE, SCHEDULED], default=None, allow_null=True
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One moment or none, as the type says."""
        attrs = super().validate(attrs)
        spelt_otherwise, kind = attrs.pop("scheduled_time"), attrs.pop("schedule_type")
        if None not in (attrs["scheduled_at"], spelt_otherwise):
            self._refuse("scheduled_time", "conflict", "This is scheduled_at again: give one.")
        attrs["scheduled_at"] = attrs["scheduled_at"] or spelt_otherwise
        if kind == SCHEDULED and attrs["scheduled_at"] is None:
            self._refuse("scheduled_at", "required", "A scheduled job needs the moment.")
        if kind == IMMEDIATE and attrs["scheduled_at"] is not None:
            self._refuse("schedule_type", "conflict", "An immediate job has no moment.")
        return attrs

    def _refuse(self, field: str, code: str, detail: str) -> NoReturn:
        raise serializers.ValidationError({field: [serializers.ErrorDetail(detail, code)]})
