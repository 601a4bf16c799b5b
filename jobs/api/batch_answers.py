"""What POST jobs/batch answers, for the OpenAPI document alone."""

from rest_framework import serializers

from jobs.api.answers import Shape


class RowError(Shape):
    """What is wrong with a row; rows count from 1."""

    row = serializers.IntegerField()
    line = serializers.IntegerField(allow_null=True)
    field = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    detail = serializers.CharField()


class BatchLinks(Shape):
    """Where its jobs are, and where it is cancelled."""

    jobs = serializers.CharField()
    cancel = serializers.CharField()


class ImportLinks(BatchLinks):
    """Also the job that makes the others."""

    job = serializers.CharField()


class BatchReport(Shape):
    """What became of the rows. errors: the first hundred."""

    batch = serializers.UUIDField()
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    total = serializers.IntegerField()
    # The name is that of an attribute, which REST framework sets on every serializer.
    errors = RowError(many=True)  # type: ignore[assignment]
    errors_truncated = serializers.BooleanField()
    links = BatchLinks()


class BatchImport(Shape):
    """A worker will make the jobs; the result of its job is the report."""

    batch = serializers.UUIDField()
    links = ImportLinks()


class BatchCancelled(Shape):
    """How many jobs were cancelled, or told to stop."""

    batch = serializers.UUIDField()
    cancelled = serializers.IntegerField()
