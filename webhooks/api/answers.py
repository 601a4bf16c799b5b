"""The shapes of answers that no serializer makes, for the OpenAPI document alone."""

from rest_framework import serializers

from jobs.api.fields import Moment
from webhooks.api.serializers import DeliverySerializer, EndpointSerializer

_Shape = serializers.Serializer[object]


class EndpointWithSecret(EndpointSerializer):
    """Shown this once."""

    secret = serializers.CharField()


class EndpointPage(_Shape):
    """All endpoints, oldest first."""

    results = EndpointSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class DeliveryPage(_Shape):
    """Deliveries in order, and the addresses of the pages beside this one."""

    results = DeliverySerializer(many=True)
    next = serializers.CharField(allow_null=True)
    prev = serializers.CharField(allow_null=True)


class ReplayedDeliveries(_Shape):
    """How many are delivered again."""

    replayed = serializers.IntegerField()


class CallbackSecretAnswer(_Shape):
    """What signs callbacks. old_secret_until: null for the first one."""

    secret = serializers.CharField()
    old_secret_until = Moment(allow_null=True)
