"""What remote workers are told, for the OpenAPI document alone."""

from rest_framework import serializers

from jobs.api.answers import Shape
from jobs.api.fields import STATUSES


class Addresses(Shape):
    """Signed addresses, for a few minutes."""

    # The name is that of an attribute, which REST framework sets on every field.
    source = serializers.CharField()  # type: ignore[assignment]
    output = serializers.CharField()


class LeaseTerms(Shape):
    """How long a lease lasts from now on, and how often it is to be renewed."""

    lease_seconds = serializers.FloatField()
    renew_seconds = serializers.FloatField()


class LeasedJob(Shape):
    """A job as the worker that runs it sees it; `lease` goes with every call about it."""

    id = serializers.CharField()
    lease = serializers.CharField()
    job_type = serializers.CharField()
    source_file = serializers.CharField()
    target_format = serializers.CharField()
    parameters = serializers.DictField()
    priority = serializers.IntegerField()
    attempt = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    soft_limit_seconds = serializers.FloatField()
    hard_limit_seconds = serializers.FloatField()
    source_bytes = serializers.IntegerField(allow_null=True)
    output_extension = serializers.CharField(allow_null=True)
    output_max_bytes = serializers.IntegerField()
    addresses = Addresses()


class LeasedJobs(LeaseTerms):
    """Jobs to work on, and what operators want of the worker."""

    jobs = LeasedJob(many=True)
    drain = serializers.BooleanField()
    paused = serializers.BooleanField()


class Renewed(LeaseTerms):
    """The lease lasts on; a job whose cancelling is requested is to be stopped."""

    cancel_requested = serializers.BooleanField()
    drain = serializers.BooleanField()
    addresses = Addresses()


class Settled(Shape):
    """What the job is now."""

    status = serializers.ChoiceField(choices=STATUSES)
