"""The app of webhooks."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Endpoints and deliveries beside the jobs."""

    name = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Called by Django once all apps are loaded."""
        from webhooks import checks  # noqa: F401 - they register themselves
