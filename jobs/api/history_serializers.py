"""The shapes of a job's history."""

from typing import Any

from rest_framework import serializers

from jobs.api.fields import Moment


class EventSerializer(serializers.Serializer[Any]):
    """Something that happened to a job."""

    at = Moment()
    kind = serializers.CharField()
    actor = serializers.CharField()
    detail = serializers.JSONField()


class AttemptSerializer(serializers.Serializer[Any]):
    """One attempt, without what only operators see."""

    number = serializers.IntegerField()
    worker = serializers.CharField()
    started_at = Moment()
    ended_at = Moment(allow_null=True)
    outcome = serializers.CharField()
    error_code = serializers.CharField()
    error_message = serializers.CharField()
