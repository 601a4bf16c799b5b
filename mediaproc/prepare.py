"""Bring the tables and the media store up to date: `python -m mediaproc.prepare`."""

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError


def main() -> int:
    """Exit code 0, or 1 after one line about what is wrong."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    try:
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("make_samples")
    except DatabaseError as error:
        return _tell(f"The database does not do what was asked: {error}")
    except (ImproperlyConfigured, CommandError, OSError, ValueError) as error:
        return _tell(str(error))
    return 0


def _tell(trouble: str) -> int:
    print(" ".join(trouble.split()), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
