"""`manage.py create_job`: one job from the command line, by the rules of the API."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from jobs.models import Job
from jobs.states import Status

pytestmark = pytest.mark.django_db


def create(*arguments: str) -> str:
    """What it prints."""
    stream = StringIO()
    call_command("create_job", *arguments, stdout=stream)
    return stream.getvalue()


def test_as_documented(settings: Settings, media_root: Path) -> None:
    settings.SIMULATE_MISSING_SOURCES = True
    at = timezone.localtime() + timedelta(days=1)
    create(
        "NAME", "--priority", "5", "--max_retries", "2", "--schedule_at", f"{at:%Y-%m-%d %H:%M:%S}"
    )
    job = Job.objects.get()
    assert (job.name, job.priority, job.max_attempts) == ("NAME", 5, 3)
    assert (job.status, job.scheduled_at) == (Status.PENDING, at.replace(microsecond=0))


def test_it_says_the_id() -> None:
    text = create("Now", "--type=noop")
    job = Job.objects.get()
    assert text == f"Job {job.id} is QUEUED.\n"
    told = json.loads(create("Now", "--type=noop", "--json"))
    assert set(told) == {"id", "status"}
    assert Job.objects.filter(id=told["id"], status=told["status"]).exists()


def test_a_name_alone_is_that_of_the_source(media_root: Path) -> None:
    (media_root / "sources" / "film.mov").touch()
    create("film.mov")
    create("Holiday film", "--source", "film.mov", "--format", "avi")
    assert list(
        Job.objects.order_by("id").values_list("job_type", "name", "source_file", "target_format")
    ) == [
        ("transcode", "film.mov", "film.mov", "mp4"),
        ("transcode", "Holiday film", "film.mov", "avi"),
    ]


def test_a_moment_just_passed_is_due_now() -> None:
    just_passed = timezone.now() - timedelta(seconds=30)
    create("x", "--type=noop", "--schedule_at", just_passed.isoformat())
    assert Job.objects.get().status == Status.QUEUED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--source: There is no 'x' in the media store"),
        (["--format=avii"], "--format: Cannot make 'avii'"),
        (["--type=nothing"], "--type: There is no job type 'nothing'"),
        (["--type=noop", "--source=a"], "--source: This job type takes no source_file"),
        (["--type=noop", "--schedule_at=2025-04-07 10:30:00"], "--schedule_at: .* has passed"),
        (["--type=noop", "--schedule_at=soon"], "no time"),
        (["--type=noop", "--priority=11"], "from 0 to 10"),
        (["--type=noop", "--max_retries=-1"], "from 0 to 100"),
        (["--type=noop", "--parameters=[]"], "JSON object"),
        (["--type=noop", "--parameters={"], "not JSON"),
        (["--type=hold"], "parameters.folder: "),
    ],
)
def test_it_refuses_in_words(arguments: list[str], message: str, media_root: Path) -> None:
    with pytest.raises(CommandError, match=message):
        create("x", *arguments)
    assert not Job.objects.exists()


@pytest.mark.parametrize("name", ["x" * 101, "\udcff"])
def test_a_name_that_the_database_cannot_hold(name: Any) -> None:
    with pytest.raises(CommandError, match="NAME: ") as refused:
        create(name, "--type=noop")
    assert refused.value.returncode == 1
