"""The shapes of answers that no serializer makes, for the OpenAPI document alone."""

from typing import Any

from rest_framework import serializers

from jobs.api.fields import Moment
from jobs.api.history_serializers import AttemptSerializer, EventSerializer
from jobs.api.job_serializers import JobSerializer
from jobs.api.schedule_serializers import ScheduleSerializer
from jobs.states import FINAL, Status

Shape = serializers.Serializer[object]


class JobPage(Shape):
    """Jobs in order, and the addresses of the pages beside this one."""

    results = JobSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    prev = serializers.CharField(allow_null=True)


class SchedulePage(Shape):
    """Schedules in order, and the addresses of the pages beside this one."""

    results = ScheduleSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    prev = serializers.CharField(allow_null=True)


class HistoryPage(Shape):
    """What happened to a job, in order, the attempts that began on this page, and the addresses of
    the pages beside it."""

    events = EventSerializer(many=True)
    attempts = AttemptSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    prev = serializers.CharField(allow_null=True)


class JobTypeRetry(Shape):
    """How often a job of a type is tried, and how long it waits between."""

    max_attempts = serializers.IntegerField()
    first_wait_seconds = serializers.FloatField()
    longest_wait_seconds = serializers.FloatField()


class JobTypeTimeLimits(Shape):
    """How long an attempt may take."""

    soft_seconds = serializers.FloatField()
    hard_seconds = serializers.FloatField()


class JobType(Shape):
    """What a job type wants; `parameters` is a JSON schema."""

    job_type = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    source_file = serializers.CharField()
    target_formats = serializers.ListField(child=serializers.CharField())
    parameters = serializers.DictField()
    priority = serializers.IntegerField()
    retry = JobTypeRetry()
    time_limits = JobTypeTimeLimits()


class JobTypeList(Shape):
    """Every job type by name."""

    results = JobType(many=True)


class Count(Shape):
    """A number of jobs; `exactness` is exact, estimated or at_least."""

    jobs = serializers.IntegerField()
    exactness = serializers.CharField()


class Spread(Shape):
    """Seconds; null without jobs."""

    p50 = serializers.FloatField(allow_null=True)
    p90 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    p99 = serializers.FloatField(allow_null=True)
    mean = serializers.FloatField(allow_null=True)


class Ended(Shape):
    """A number for each final state."""

    def get_fields(self) -> dict[str, Any]:
        """By status."""
        return {status.value: serializers.FloatField() for status in Status if status in FINAL}


class Figures(Shape):
    """Of jobs that ended: how many, how many a minute, how long they waited and ran."""

    ended = Ended()
    per_minute = Ended()
    wait = Spread()
    run = Spread()


class Counts(Shape):
    """Jobs by status."""

    def get_fields(self) -> dict[str, Any]:
        """By status."""
        return {status.value: Count() for status in Status}


class Statistics(Shape):
    """Counts, and figures of what ended lately."""

    counts = Counts()
    since = Moment()
    up_to = Moment()
    overall = Figures()
    by_pool = serializers.DictField(child=Figures())
    by_type = serializers.DictField(child=Figures())
    oldest_waiting = serializers.DictField(child=serializers.FloatField(allow_null=True))


class DatabaseHealth(Shape):
    """Whether the database answers."""

    status = serializers.CharField()
    answered_in_ms = serializers.FloatField()


class CrewHealth(Shape):
    """The live workers of a pool."""

    processes = serializers.IntegerField()
    threads = serializers.IntegerField()


class Health(Shape):
    """ok, or degraded while a pool has no live worker."""

    status = serializers.CharField()
    database = DatabaseHealth()
    workers = serializers.DictField(child=CrewHealth())
    wakeup = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))


class PoolState(Shape):
    """What a pool serves, and whether it is paused."""

    name = serializers.CharField()
    lowest_priority = serializers.IntegerField()
    highest_priority = serializers.IntegerField()
    threads = serializers.IntegerField()
    paused = serializers.BooleanField()
    paused_at = Moment(allow_null=True)
    paused_by = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)


class PoolList(Shape):
    """Every pool."""

    pools = PoolState(many=True)


class Reasons(Shape):
    """Why jobs FAILED, the most frequent first."""

    reasons = serializers.ListField(child=serializers.DictField())


class Retried(Shape):
    """How many jobs run again."""

    retried = serializers.IntegerField()


class Replayed(Shape):
    """How many jobs were made."""

    replayed = serializers.IntegerField()


class Link(Shape):
    """An address that needs no token, and when it ends."""

    url = serializers.CharField()
    expires_at = Moment()
