"""`manage.py seal_anew`: before a key leaves SECRET_KEY_FALLBACKS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.second_factor import seal_anew


class Command(BaseCommand):
    """For whoever changes SECRET_KEY."""

    help = "Encrypt the secrets of second factors with the SECRET_KEY of now."

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. Names whose secrets are lost, with exit code 1."""
        if lost := seal_anew():
            raise CommandError(f"No key of now opens the secrets of: {', '.join(lost)}.")
