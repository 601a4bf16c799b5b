"""The app of accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Tokens and plans beside Django's own users."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Called by Django once all apps are loaded."""
        from accounts import checks, notices, security_log  # noqa: F401 - they register themselves
