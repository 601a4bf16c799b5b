"""The shapes of webhooks."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from jobs.api.fields import (
    FlagField,
    Moment,
    SomeOfField,
    StrictSerializer,
    TargetField,
    TextField,
)
from jobs.targets import BadTarget
from webhooks.endpoints import check_url
from webhooks.models import Delivery, DeliveryAttempt, Endpoint
from webhooks.policy import EVENTS


class EventsField(SomeOfField):
    """Some of EVENTS; none means all."""

    def __init__(self, **options: Any) -> None:
        super().__init__(EVENTS, **options)


class EndpointBodySerializer(StrictSerializer):
    """The body of POST and PATCH."""

    url = TargetField()
    description = TextField(max_length=200, required=False, allow_blank=True)
    events = EventsField(required=False)
    enabled = FlagField(required=False)

    def validate_url(self, value: str) -> str:
        """It may be called, as far as one can tell today."""
        try:
            check_url(value)
        except BadTarget as error:
            raise serializers.ValidationError(str(error), code="bad_target") from None
        except (OSError, UnicodeError):
            raise serializers.ValidationError(
                "The host is not found.", code="unknown_host"
            ) from None
        return value


class ReplayBodySerializer(StrictSerializer):
    """The body of replay."""

    since = serializers.DateTimeField()
    delivered = FlagField(default=False)


class EndpointSerializer(serializers.Serializer[Endpoint]):
    """An endpoint as its owner sees it."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    description = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    enabled = serializers.BooleanField()
    disabled_reason = serializers.CharField()
    failing_since = Moment(allow_null=True)
    old_secret_until = Moment(allow_null=True)
    created_at = Moment()
    links = serializers.SerializerMethodField()

    def get_links(self, endpoint: Endpoint) -> dict[str, str]:
        """Where to go from here."""
        return {
            "self": reverse("webhooks:endpoint", args=[endpoint.id]),
            "deliveries": reverse("webhooks:endpoint_deliveries", args=[endpoint.id]),
        }


class DeliverySerializer(serializers.Serializer[Delivery]):
    """A delivery in the log. endpoint: null for a callback_url."""

    id = serializers.UUIDField()
    event = serializers.CharField()
    status = serializers.CharField()
    endpoint = serializers.UUIDField(source="endpoint_id", allow_null=True)
    job = serializers.UUIDField(source="job_id", allow_null=True)
    created_at = Moment()
    settled_at = Moment(allow_null=True)
    links = serializers.SerializerMethodField()

    def get_links(self, delivery: Delivery) -> dict[str, str]:
        """Where to go from here."""
        return {"self": reverse("webhooks:delivery", args=[delivery.id])}


class DeliveryAttemptSerializer(serializers.Serializer[DeliveryAttempt]):
    """One attempt. answer: what a stranger wrote; show it as text."""

    at = Moment()
    status = serializers.IntegerField(allow_null=True)
    milliseconds = serializers.IntegerField()
    answer = serializers.CharField()
    error = serializers.CharField()


class FullDeliverySerializer(DeliverySerializer):
    """With what was sent, and every attempt."""

    body = serializers.CharField()
    attempts = DeliveryAttemptSerializer(many=True)
