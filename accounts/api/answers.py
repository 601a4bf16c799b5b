"""The shapes of answers that no serializer makes, for the OpenAPI document alone."""

from rest_framework import serializers

from accounts.api.serializers import TokenSerializer

_Shape = serializers.Serializer[object]


class NewToken(TokenSerializer):
    """A token with its secret, which is shown this once."""

    token = serializers.CharField()


class TokenList(_Shape):
    """The tokens that are valid."""

    results = TokenSerializer(many=True)


class Limits(_Shape):
    """Of an account; 0 is none."""

    jobs_a_minute = serializers.IntegerField()
    concurrent_jobs = serializers.IntegerField()
    highest_priority = serializers.IntegerField()
    largest_batch = serializers.IntegerField()
    requests_a_minute = serializers.IntegerField()
    work_requests_a_minute = serializers.IntegerField()
    webhook_endpoints = serializers.IntegerField()
    concurrent_deliveries = serializers.IntegerField()
    schedules = serializers.IntegerField()


class Account(_Shape):
    """Who asks, and what he may."""

    id = serializers.CharField()
    username = serializers.CharField()
    email = serializers.CharField()
    is_staff = serializers.BooleanField()
    second_factor = serializers.BooleanField()
    scopes = serializers.ListField(child=serializers.CharField())
    plan = serializers.CharField()
    limits = Limits()


class Registered(_Shape):
    """A new account."""

    id = serializers.CharField()
    username = serializers.CharField()


class Detail(_Shape):
    """What to do next."""

    detail = serializers.CharField()


class SessionStart(_Shape):
    """What a page sends as X-CSRFToken."""

    csrf_token = serializers.CharField()


class OtpSecret(_Shape):
    """What an app of the user reads, shown this once: the address as a QR code, or the secret."""

    secret = serializers.CharField()
    url = serializers.CharField()


class RecoveryCodes(_Shape):
    """Each gets in once, without the app. They are shown this once."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class SessionAnswer(_Shape):
    """A session of a page."""

    id = serializers.CharField()
    began = serializers.DateTimeField()
    expires = serializers.DateTimeField()
    current = serializers.BooleanField()


class SessionList(_Shape):
    """The sessions that are valid."""

    results = SessionAnswer(many=True)
