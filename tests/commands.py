"""Management commands as an operator sees them."""

import json
from io import StringIO
from typing import Any

from django.core.management import call_command


def said(*arguments: str) -> str:
    """What `jobs` prints for people."""
    stream = StringIO()
    call_command("jobs", *arguments, stdout=stream)
    return stream.getvalue()


def told(*arguments: str) -> Any:
    """What `jobs` tells machines."""
    return json.loads(said(*arguments, "--json"))
