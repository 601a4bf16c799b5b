"""When cron expressions fire, on clocks that are changed too."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.cron import BadCron, BadTimeZone, Cron, parse_cron

BERLIN, NEW_YORK, KOLKATA = "Europe/Berlin", "America/New_York", "Asia/Kolkata"
# Half an hour only, at midnight, on the dateline, twice a year the other way round.
ODD = ["Australia/Lord_Howe", "America/Havana", "Pacific/Apia", "Asia/Beirut", "Africa/Casablanca"]
ZONES = [BERLIN, NEW_YORK, KOLKATA, "UTC", *ODD]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def fires(expression: str, zone: str, after: str, count: int) -> list[str]:
    """The next moments as the clock in the zone shows them, with its offset."""
    cron = parse_cron(expression, zone)
    found = list(islice(cron.after(moment(after)), count))
    assert all(at.tzinfo is UTC for at in found)
    return [at.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes") for at in found]


# 2026: Berlin 29 March 02:00 -> 03:00 and 25 October 03:00 -> 02:00; New York 8 March 02:00 ->
# 03:00 and 1 November 02:00 -> 01:00; Kolkata never.
@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        pytest.param(
            "30 2 * * *", BERLIN, "2026-03-28T00:00+01:00",
            ["2026-03-28T02:30+01:00", "2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"],
            id="a time of day that does not exist fires right after the gap",
        ),
        pytest.param(
            "0,30 2,3 * * *", BERLIN, "2026-03-29T00:00+01:00",
            ["2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00", "2026-03-30T02:00+02:00"],
            id="several that do not exist fire once, together with one that does",
        ),
        pytest.param(
            "*/30 2 * * *", BERLIN, "2026-03-28T02:10+01:00",
            ["2026-03-28T02:30+01:00", "2026-03-30T02:00+02:00"],
            id="every half hour of an hour that does not exist: not at all",
        ),
        pytest.param(
            "30 * * * *", BERLIN, "2026-03-29T00:40+01:00",
            ["2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00"],
            id="hourly across the gap: an hour of real time",
        ),
        pytest.param(
            "30 2 * * *", BERLIN, "2026-10-24T12:00+02:00",
            ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"],
            id="a time of day that exists twice fires the first time",
        ),
        pytest.param(
            "30 2 * * *", BERLIN, "2026-10-25T02:10+01:00",
            ["2026-10-26T02:30+01:00"],
            id="asked between the two: not again",
        ),
        pytest.param(
            "30 * * * *", BERLIN, "2026-10-25T01:40+02:00",
            ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", "2026-10-25T03:30+01:00"],
            id="hourly across the doubled hour: both",
        ),
        pytest.param(
            "0 0 * * *", BERLIN, "2026-10-24T12:00+02:00",
            ["2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"],
            id="midnights are 25 hours apart",
        ),
        pytest.param(
            "30 2 * * *", NEW_YORK, "2026-03-07T12:00-05:00",
            ["2026-03-08T03:00-04:00", "2026-03-09T02:30-04:00"],
            id="New York, the gap",
        ),
        pytest.param(
            "30 1 * * *", NEW_YORK, "2026-10-31T12:00-04:00",
            ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"],
            id="New York, the doubled hour",
        ),
        pytest.param(
            "15,45 * * * *", NEW_YORK, "2026-11-01T01:20-04:00",
            ["2026-11-01T01:45-04:00", "2026-11-01T01:15-05:00", "2026-11-01T01:45-05:00"],
            id="New York, twice an hour",
        ),
        pytest.param(
            "30 2 * * *", KOLKATA, "2026-03-28T22:00+00:00",
            ["2026-03-30T02:30+05:30", "2026-03-31T02:30+05:30"],
            id="Kolkata has no changes, and half hours",
        ),
        pytest.param(
            "0 9 * * mon-fri", "UTC", "2026-11-27T09:00+00:00",
            ["2026-11-30T09:00+00:00"],
            id="strictly later, past a weekend",
        ),
        pytest.param(
            "0 12 l * *", "UTC", "2027-02-01T00:00+00:00",
            ["2027-02-28T12:00+00:00", "2027-03-31T12:00+00:00"],
            id="the last day of a month",
        ),
    ],
)  # fmt: skip
def test_table(expression: str, zone: str, after: str, expected: list[str]) -> None:
    assert fires(expression, zone, after, len(expected)) == expected


FIELDS = st.tuples(
    st.sampled_from(["*", "0", "30", "*/7", "5,59", "15-20"]),
    st.sampled_from(["*", "0", "2", "1,2,3", "*/5", "23"]),
    st.sampled_from(["*", "1", "29", "8-14", "L"]),
    st.sampled_from(["*", "3", "10,11", "*/2"]),
    st.sampled_from(["*", "0", "sun", "mon-fri", "5L", "1#2"]),
)
MOMENTS = st.datetimes(
    datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)  # noqa: DTZ001
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(FIELDS, st.sampled_from(ZONES), MOMENTS)
def test_the_next_is_strictly_later_and_matches(
    fields: tuple[str, ...], zone: str, after: datetime
) -> None:
    cron = parse_cron(" ".join(fields), zone)
    previous = after
    for at in islice(cron.after(after), 4):
        assert at > previous
        assert at.second == at.microsecond == 0
        local = at.astimezone(ZoneInfo(zone))
        assert _matches(fields, local) or _stands_in(fields, local), local
        previous = at
        # It does not matter where one begins to ask.
        assert cron.next_after(at - timedelta(seconds=1)) == at


@settings(max_examples=150, deadline=None)
@given(FIELDS, st.sampled_from(ZONES), MOMENTS, st.integers(0, 4000), st.integers(1, 5))
def test_the_newest_are_the_last_of_all(
    fields: tuple[str, ...], zone: str, since: datetime, hours: int, most: int
) -> None:
    cron = parse_cron(" ".join(fields), zone)
    until = since + timedelta(hours=hours)
    every: list[datetime] = []
    for at in cron.after(since - timedelta(microseconds=1)):
        if at > until or len(every) > 20_000:
            break
        every.append(at)
    if len(every) <= 20_000:
        assert cron.newest(since, until, most) == every[-most:]


def test_the_newest_of_very_many_are_found_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 0
    original = Cron.after

    def counting(self: Cron, after: datetime) -> object:
        nonlocal steps
        for at in original(self, after):
            steps += 1
            yield at

    monkeypatch.setattr(Cron, "after", counting)
    since, until = moment("2020-01-01T00:00Z"), moment("2026-12-31T23:59Z")
    found = parse_cron("* * * 1-6 *", "UTC").newest(since, until, 3)
    assert [at.isoformat(timespec="minutes")[:16] for at in found] == [
        "2026-06-30T23:57", "2026-06-30T23:58", "2026-06-30T23:59",
    ]  # fmt: skip
    assert steps < 200


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("", "five fields (minute, hour, day of month, month, day of week), not 0"),
        ("* * * *", "not 4"),
        ("0 * * * * *", "not 6"),
        ("@daily", "not 1"),
        ("61 * * * *", "'61 * * * *' cannot be read: bad minute field."),
        ("* 5-2 * * *", "bad hour field"),
        ("* * 31 2 *", "bad day-of-month field"),
        ("* * * jan-foo *", "bad month field"),
        ("* * * * 1#6", "bad day-of-week field"),
        ("*/0 * * * *", "bad minute field"),
    ],
)
def test_a_bad_expression_is_refused_in_words(expression: str, complaint: str) -> None:
    with pytest.raises(BadCron) as refused:
        parse_cron(expression, "UTC")
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("zone", "complaint"),
    [
        ("Europe/Berln", "Did you mean Europe/Berlin?"),
        ("", "For example: Europe/Berlin, or UTC."),
        ("../../etc/passwd", "There is no time zone '../../etc/passwd'."),
        ("Europe", "There is no time zone 'Europe'."),
        ("localtime", "There is no time zone 'localtime'."),
        ("UTC\x00", "There is no time zone"),
    ],
)
def test_an_unknown_zone_is_refused_in_words(zone: str, complaint: str) -> None:
    with pytest.raises(BadTimeZone) as refused:
        parse_cron("* * * * *", zone)
    assert complaint in str(refused.value)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.text("0123456789*/,-#LW?JANMO ²", max_size=5), min_size=5, max_size=5))
def test_whatever_it_is_it_is_read_or_refused(fields: list[str]) -> None:
    with suppress(BadCron):
        assert parse_cron(" ".join(fields), "UTC").next_after(moment("2026-01-01T00:00Z"))


def _matches(fields: tuple[str, ...], local: datetime) -> bool:
    """Judged without the library that is tested: these fields and no others."""
    minutes = {"*": range(60), "0": [0], "30": [30], "*/7": range(0, 60, 7), "5,59": [5, 59],
               "15-20": range(15, 21)}  # fmt: skip
    hours = {"*": range(24), "0": [0], "2": [2], "1,2,3": [1, 2, 3], "*/5": range(0, 24, 5),
             "23": [23]}  # fmt: skip
    return (
        local.minute in minutes[fields[0]]
        and local.hour in hours[fields[1]]
        and _matches_day(fields, local)
    )


def _matches_day(fields: tuple[str, ...], local: datetime) -> bool:
    last = (local + timedelta(days=1)).month != local.month
    last_week = (local + timedelta(days=7)).month != local.month
    weekday = local.isoweekday() % 7
    days = {"*": True, "1": local.day == 1, "29": local.day == 29, "8-14": 8 <= local.day <= 14,
            "L": last}  # fmt: skip
    months = {"*": True, "3": local.month == 3, "10,11": local.month in {10, 11},
              "*/2": local.month % 2 == 1}  # fmt: skip
    weekdays = {"*": True, "0": weekday == 0, "sun": weekday == 0, "mon-fri": 1 <= weekday <= 5,
                "5L": weekday == 5 and last_week,
                "1#2": weekday == 1 and 8 <= local.day <= 14}  # fmt: skip
    day, week = days[fields[2]], weekdays[fields[4]]
    both = "*" in (fields[2][:1], fields[4][:1])
    return months[fields[3]] and (day and week if both else day or week)


def _stands_in(fields: tuple[str, ...], local: datetime) -> bool:
    """Whether it is the first minute after a gap, and a time of day inside that gap matches."""
    if fields[0].startswith("*") or fields[1].startswith("*"):
        return False
    before = (local.astimezone(UTC) - timedelta(minutes=1)).astimezone(local.tzinfo)
    wall = before.replace(tzinfo=None) + timedelta(minutes=1)
    while wall < local.replace(tzinfo=None):
        if _matches(fields, wall):
            return True
        wall += timedelta(minutes=1)
    return False
