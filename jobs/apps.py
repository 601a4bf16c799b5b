"""The app of mediaproc: job rows, the queue over them, and the workers that empty it."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class JobsConfig(AppConfig):
    """Registers the system checks and keeps the database functions at the code's version."""

    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Called by Django once all apps are loaded."""
        from jobs import (  # noqa: F401 - they register themselves
            checks,
            connection_checks,
            scan_checks,
            schedule_checks,
            secret_checks,
        )
        from jobs.queue.functions import install_functions

        post_migrate.connect(install_functions, sender=self, dispatch_uid="jobs.functions")
