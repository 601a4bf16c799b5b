"""`check --database default` names schedules that will not do what they say."""

import pytest
from django.core import checks
from django.core.management import call_command
from django.db import connection

from jobs.models import Schedule
from jobs.schedule_checks import check_schedules
from tests.schedules import hourly

pytestmark = pytest.mark.django_db


def found() -> dict[str | None, str]:
    return {one.id: one.msg for one in check_schedules(None, databases=["default"])}


def test_good_ones_say_nothing() -> None:
    hourly()
    assert found() == {}


@pytest.mark.parametrize(
    ("broken", "number", "complaint"),
    [
        ({"cron": "61 * * * *"}, "jobs.W005", "'hourly' cannot fire: '61 * * * *' cannot be read"),
        ({"time_zone": "Mars"}, "jobs.W005", "'hourly' cannot fire: There is no time zone 'Mars'"),
        ({"job_type": "gone"}, "jobs.W006", "'hourly' will fail: there is no job type 'gone'"),
    ],
)
def test_bad_ones_are_named(
    broken: dict[str, str], number: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hourly()
    Schedule.objects.update(**broken)
    assert set(found()) == {number}
    assert complaint in found()[number]
    call_command("check", databases=["default"])
    assert complaint in capsys.readouterr().err


def test_without_a_database_nothing_is_asked() -> None:
    hourly()
    Schedule.objects.update(time_zone="Mars")
    assert [one for one in checks.run_checks(tags=["jobs"]) if one.id == "jobs.W005"] == []


@pytest.mark.django_db(transaction=True)
def test_before_the_first_migration_there_is_nothing_to_check() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE jobs_schedule RENAME TO elsewhere")
    try:
        assert found() == {}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO jobs_schedule")
