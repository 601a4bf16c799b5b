"""Values of command lines, read with a message for people."""

from argparse import ArgumentTypeError
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from jobs.priorities import BY_NAME, HIGHEST, LOWEST

MOST_LISTED = 1000


def job_id(text: str) -> UUID:
    """A job's id."""
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a job id") from None


def limit(text: str) -> int:
    """How many to list."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_LISTED):
        raise ArgumentTypeError(f"give a number from 1 to {MOST_LISTED}")
    return int(text)


def priority(text: str) -> int:
    """A number 0-10 or its name."""
    if text in BY_NAME:
        return BY_NAME[text]
    if text.isascii() and text.isdigit() and LOWEST <= int(text) <= HIGHEST:
        return int(text)
    raise ArgumentTypeError(f"give {', '.join(BY_NAME)} or a number from {LOWEST} to {HIGHEST}")


def moment(text: str) -> datetime:
    """ISO 8601; without a zone in that of TIME_ZONE."""
    try:
        read = parse_datetime(text)
    except ValueError:
        read = None
    if read is None:
        raise ArgumentTypeError(
            f"{text!r} is no time; give it like '2026-04-07 10:30:00' or 2026-04-07T10:30:00Z"
        )
    return timezone.make_aware(read) if timezone.is_naive(read) else read
