"""The shapes of the schedules resource."""

from typing import TYPE_CHECKING, Any, NoReturn

from rest_framework import serializers

from jobs.api.fields import FlagField, Moment, PriorityField, StrictSerializer, TextField
from jobs.cron import BadCron, BadTimeZone, parse_cron
from jobs.models import MissedRuns, Schedule
from jobs.processors.admission import admit
from jobs.queue.schedules import next_fires
from jobs.submission import check_priority

if TYPE_CHECKING:
    from accounts.plans import Plan

MAX_RETRIES = 100
NEXT_FIRES = 5

# What its jobs are made of: a processor has to agree to these together.
_WORK = ("job_type", "source_file", "target_format", "parameters")


class ScheduleBodySerializer(StrictSerializer):
    """The body of POST schedules, and with `partial` of PATCH schedules/{id}. `context`
    has the plan of who asks."""

    name = TextField(max_length=100)
    cron = TextField(max_length=100)
    time_zone = TextField(max_length=64, default="UTC")
    missed_runs = serializers.ChoiceField(choices=MissedRuns.values, default=MissedRuns.ONE)
    paused = FlagField(default=False)
    job_type = TextField(max_length=50, default=None)
    source_file = TextField(max_length=255, default="", allow_blank=True)
    target_format = TextField(max_length=50, default="", allow_blank=True)
    parameters = serializers.DictField(
        default=dict, error_messages={"not_a_dict": "Give an object."}
    )
    priority = PriorityField(default=None)
    max_retries = serializers.IntegerField(
        min_value=0, max_value=MAX_RETRIES, default=None, allow_null=True
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Expression and zone can be read, and jobs can be made of the rest.

        Raises jobs.processors.contract.Invalid when the job type does not agree.
        """
        plan: Plan = self.context["plan"]
        self._check_times(attrs)
        if self.instance is None or any(name in attrs for name in _WORK):
            work = {name: self._value(attrs, name) for name in _WORK}
            admitted = admit(**work)
            attrs["job_type"] = admitted.job_type
            if self.instance is None:
                attrs["max_attempts"] = admitted.max_attempts
                if attrs["priority"] is None:
                    attrs["priority"] = min(admitted.priority, plan.highest_priority)
        if attrs.get("priority") is not None:
            check_priority(attrs["priority"], plan)
        if (retries := attrs.pop("max_retries", None)) is not None:
            attrs["max_attempts"] = retries + 1
        return attrs

    def _check_times(self, attrs: dict[str, Any]) -> None:
        try:
            parse_cron(self._value(attrs, "cron"), self._value(attrs, "time_zone"))
        except BadCron as error:
            self._refuse("cron", "bad_cron", error)
        except BadTimeZone as error:
            self._refuse("time_zone", "unknown_time_zone", error)

    def _value(self, attrs: dict[str, Any], name: str) -> Any:
        return attrs[name] if name in attrs else getattr(self.instance, name)

    def _refuse(self, field: str, code: str, error: Exception) -> NoReturn:
        raise serializers.ValidationError({field: [serializers.ErrorDetail(str(error), code)]})


class ScheduleSerializer(serializers.Serializer[Schedule]):
    """A schedule as the API shows it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    cron = serializers.CharField()
    time_zone = serializers.CharField()
    missed_runs = serializers.CharField()
    paused = serializers.BooleanField()
    error = serializers.SerializerMethodField()
    next_fires = serializers.SerializerMethodField()
    job_type = serializers.CharField()
    source_file = serializers.CharField()
    target_format = serializers.CharField()
    parameters = serializers.JSONField()
    priority = PriorityField()
    max_retries = serializers.SerializerMethodField()
    created_at = Moment()

    def get_error(self, schedule: Schedule) -> str | None:
        """Why it fires no more."""
        return schedule.error or None

    def get_next_fires(self, schedule: Schedule) -> list[str | None]:
        """The next moments, in UTC; none while it is paused or stopped."""
        return [Moment().to_representation(at) for at in next_fires(schedule, NEXT_FIRES)]

    def get_max_retries(self, schedule: Schedule) -> int:
        """Attempts after the first."""
        return schedule.max_attempts - 1
