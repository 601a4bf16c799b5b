"""Values of command lines, read with a message for people."""

import json
import math
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from jobs.priorities import BY_NAME, HIGHEST, LOWEST
from jobs.queue.selection import Selection
from jobs.states import Status

MOST_LISTED = 1000
MOST_HOURS = 10 * 366 * 24.0
LONGEST_REASON = 200
MAX_DIGITS = 9


def job_id(text: str) -> UUID:
    """A job's id."""
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a job id") from None


def limit(text: str) -> int:
    """How many to list."""
    return number(text, 1, MOST_LISTED)


def number(text: str, lowest: int, highest: int) -> int:
    """A whole number in these bounds."""
    digits = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    if not (digits and lowest <= int(text) <= highest):
        raise ArgumentTypeError(f"give a number from {lowest} to {highest}, not {text!r}")
    return int(text)


def retries(most: int) -> Callable[[str], int]:
    """How many, up to `most`."""
    return lambda text: number(text, 0, most)


def hours(text: str) -> float:
    """How far back, from a minute to ten years."""
    try:
        read = float(text)
    except ValueError:
        read = math.nan
    if not 1 / 60 <= read <= MOST_HOURS:
        raise ArgumentTypeError(
            f"give hours as a number, for example 24 or 0.5, up to {MOST_HOURS:.0f}"
        )
    return read


def status(text: str) -> str:
    """A status, in any case."""
    if text.upper() not in set(Status):
        raise ArgumentTypeError(f"there is no status {text!r}; known: {', '.join(Status)}")
    return text.upper()


def word(text: str) -> str:
    """Text that the database can hold: the shell may give bytes that are none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError(f"{text!r} is not UTF-8") from None
    return text


def reason(text: str) -> str:
    """Why a pool is paused."""
    if len(text) > LONGEST_REASON:
        raise ArgumentTypeError(f"give at most {LONGEST_REASON} characters, not {len(text)}")
    return word(text)


def json_object(text: str) -> dict[str, Any]:
    """A JSON object."""
    try:
        read = json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(read, dict):
        raise ArgumentTypeError("give a JSON object, for example '{\"width\": 640}'")
    return read


def priority(text: str) -> int:
    """A number 0-10 or its name."""
    if text in BY_NAME:
        return BY_NAME[text]
    try:
        return number(text, LOWEST, HIGHEST)
    except ArgumentTypeError:
        names = ", ".join(BY_NAME)
        raise ArgumentTypeError(
            f"give {names} or a number from {LOWEST} to {HIGHEST}, not {text!r}"
        ) from None


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


def add_selection(parser: ArgumentParser) -> None:
    """Options that say which jobs are meant; all that are given have to hold."""
    group = parser.add_argument_group("which jobs", "all that is given has to hold")
    group.add_argument("--status", type=status, help=", ".join(Status))
    group.add_argument("--type", type=word, dest="job_type", metavar="TYPE", help="the job type")
    group.add_argument(
        "--code", type=word, dest="error_code", metavar="CODE", help="the error code"
    )
    group.add_argument("--priority", type=priority, help="high (10), default (5), low (1) or 0-10")
    group.add_argument(
        "--since", type=moment, dest="created_from", metavar="TIME", help="submitted then or later"
    )
    group.add_argument(
        "--until", type=moment, dest="created_to", metavar="TIME", help="submitted before then"
    )


def selection(options: Mapping[str, Any]) -> Selection:
    """What these options said."""
    names = ("status", "job_type", "error_code", "priority", "created_from", "created_to")
    return Selection(**{name: options[name] for name in names})
