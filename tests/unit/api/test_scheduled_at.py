"""When a job is to start, in every spelling that is accepted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework import serializers

from jobs.api.scheduled_at import ScheduledAtField, SchedulingSerializer
from jobs.processors.contract import Invalid

LATER = "2999-01-31T08:30:00+01:00"
MOMENT = datetime(2999, 1, 31, 7, 30, tzinfo=UTC)


class Body(SchedulingSerializer):
    """As the jobs resource has it, with a field of its own."""

    name = serializers.CharField(default="")


def read(**body: Any) -> datetime | None:
    asked = Body(data=body)
    asked.is_valid(raise_exception=True)
    assert set(asked.validated_data) == {"name", "scheduled_at"}
    moment: datetime | None = asked.validated_data["scheduled_at"]
    return moment


def refusal(**body: Any) -> tuple[str, str]:
    """Field and code."""
    asked = Body(data=body)
    assert not asked.is_valid()
    [(field, [error])] = asked.errors.items()
    assert error
    return field, error.code


@pytest.mark.parametrize(
    "text",
    [
        LATER,
        "2999-01-31T07:30:00Z",
        "2999-01-31 07:30+00:00",
        "29990131T073000Z",
        "2999-01-31T13:00:00.000000+05:30",
    ],
)
def test_iso_8601_with_a_zone(text: str) -> None:
    moment = read(scheduled_at=text)
    assert moment == MOMENT
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("2999-01-31T08:30:00", "no_zone"),
        ("2999-01-31", "no_zone"),
        ("tomorrow", "invalid"),
        ("", "invalid"),
        ("2999-02-30T08:30:00Z", "invalid"),
        ("9999-12-31T23:30:00-12:00", "invalid"),
        ("2999-01-31T08:30:00Z[Europe/Berlin]", "invalid"),
        (32_474_000_000, "invalid"),
        (True, "invalid"),
        ({}, "invalid"),
        ([LATER], "invalid"),
    ],
)
def test_anything_else_is_refused(value: Any, code: str) -> None:
    assert refusal(scheduled_at=value) == ("scheduled_at", code)


@pytest.mark.parametrize("field", ["scheduled_at", "scheduled_time"])
def test_the_past_is_unprocessable(field: str) -> None:
    passed = timezone.now() - timedelta(seconds=70)
    with pytest.raises(Invalid) as refused:
        read(**{field: passed.isoformat()})
    assert (refused.value.status, refused.value.code) == (422, "in_the_past")
    assert refused.value.field == field


def test_within_a_minute_it_is_no_past() -> None:
    just_passed = timezone.now() - timedelta(seconds=45)
    assert read(scheduled_at=just_passed.isoformat()) == just_passed


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, None),
        ({"scheduled_at": None}, None),
        ({"schedule_type": "immediate"}, None),
        ({"schedule_type": "immediate", "scheduled_time": None}, None),
        ({"scheduled_time": LATER}, MOMENT),
        ({"schedule_type": "scheduled", "scheduled_at": LATER}, MOMENT),
        ({"schedule_type": "scheduled", "scheduled_time": LATER}, MOMENT),
    ],
)
def test_every_spelling(body: dict[str, Any], expected: datetime | None) -> None:
    assert read(**body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"schedule_type": "scheduled"}, ("scheduled_at", "required")),
        ({"schedule_type": "immediate", "scheduled_at": LATER}, ("schedule_type", "conflict")),
        ({"scheduled_at": LATER, "scheduled_time": LATER}, ("scheduled_time", "conflict")),
        ({"schedule_type": "recurring"}, ("schedule_type", "invalid_choice")),
    ],
)
def test_what_contradicts_itself(body: dict[str, Any], expected: tuple[str, str]) -> None:
    assert refusal(**body) == expected


def test_it_is_shown_in_utc() -> None:
    assert ScheduledAtField().to_representation(MOMENT) == "2999-01-31T07:30:00Z"
