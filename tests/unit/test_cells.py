"""Values as tables show them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.console.cells import age, cell, clean, clean_lines, moment, pairs, percent, seconds


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (0.0, "0 ms"),
        (0.0083, "8 ms"),
        (0.1, "0.1 s"),
        (9.94, "9.9 s"),
        (45.2, "45 s"),
        (119.0, "119 s"),
        (120.0, "2 min"),
        (7200.0, "2 h"),
        (200_000.0, "2 d"),
    ],
)
def test_lengths_of_time(value: float | None, shown: str) -> None:
    assert seconds(value).plain == shown


@pytest.mark.parametrize(
    ("ago", "shown"), [(0, "0 s"), (59, "59 s"), (600, "10 min"), (-7300, "in 2 h")]
)
def test_ages(ago: int, shown: str) -> None:
    at = timezone.now() - timedelta(seconds=ago)
    assert age(at).plain == shown
    assert moment(at).plain.endswith(f" ({shown})" if ago < 0 else f" ({shown} ago)")


def test_percent() -> None:
    assert [percent(value).plain for value in (None, 0.0, 0.456, 1.0)] == ["-", "0%", "46%", "100%"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", "-"),
        (True, "yes"),
        (0, "0"),
        ({"a": [1]}, '{"a": [1]}'),
        ("[red]x[/red]", "[red]x[/red]"),
    ],
)
def test_any_value(value: Any, shown: str) -> None:
    assert cell(value).plain == shown


def test_pairs() -> None:
    assert pairs({"number": 1, "error_code": "bad", "by": "", "worker": None}).plain == (
        "number 1, error code bad"
    )
    assert pairs({}).plain == "-"


def test_control_codes_are_not_passed_on() -> None:
    evil = "a\x1b[31m\r\nb\x07\u202e\tc"
    assert clean(evil) == "a?[31m  b?? c"
    assert clean_lines(evil) == "a?[31m\nb?? c"
