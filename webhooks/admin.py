"""Endpoints and deliveries in the admin. Secrets are nowhere."""

from django.contrib import admin

from jobs.admin.read_only import ReadOnlyAdmin
from webhooks.models import Delivery, DeliveryAttempt, Endpoint


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    """Who is told where."""

    list_display = ("url", "owner", "events", "enabled", "disabled_reason", "failing_since")
    fields = (*list_display, "description", "old_secret_until", "created_at")
    list_select_related = ("owner",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What was told."""

    list_display = ("id", "event", "status", "endpoint", "url", "job_id", "created_at")
    list_select_related = ("endpoint",)


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(ReadOnlyAdmin):
    """What came of it."""

    list_display = ("delivery_id", "at", "status", "milliseconds", "error")
