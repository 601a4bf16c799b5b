"""`manage.py create_job`: submit one job from the command line."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.api.job_serializers import MAX_RETRIES
from jobs.checks import TAG
from jobs.console import arguments
from jobs.console.output import Output
from jobs.processors.contract import Invalid
from jobs.submission import Submission, check_moment, take


class Command(BaseCommand):
    """Parses the arguments; the work is in jobs/submission.py."""

    help = (
        "Submit one job, for example: create_job 'Holiday film' --source video.mp4 --format avi"
        " --priority 5 --max_retries 2 --schedule_at '2026-04-07 10:30:00'"
    )
    requires_system_checks = (TAG,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The name is for people; everything else as in the API."""
        parser.add_argument("name", help="what people call it")
        parser.add_argument("--type", dest="job_type", help="default: transcode, or simulate")
        parser.add_argument("--source", default="", help="name of a file in MEDIA_ROOT/sources")
        parser.add_argument("--format", default="", help="target format, for example mp4")
        parser.add_argument("--parameters", type=_object, default={}, help="a JSON object")
        parser.add_argument(
            "--priority",
            type=arguments.priority,
            help="high, default, low or 0-10",
        )
        parser.add_argument(
            "--max_retries", "--max-retries", type=_retries, help="attempts after the first"
        )
        parser.add_argument(
            "--schedule_at", "--schedule-at", type=arguments.moment, metavar="TIME",
            help="not before this time, for example '2026-04-07 10:30:00' in TIME_ZONE",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", dest="as_json", help="for machines")

    def handle(self, *args: Any, as_json: bool, **options: Any) -> None:
        """Submit, and say the id."""
        try:
            if options["schedule_at"] is not None:
                check_moment(options["schedule_at"], "schedule_at")
            job = take(
                Submission(
                    job_type=options["job_type"],
                    source_file=options["source"],
                    target_format=options["format"],
                    parameters=options["parameters"],
                    name=options["name"],
                    priority=options["priority"],
                    max_retries=options["max_retries"],
                    scheduled_at=options["schedule_at"],
                )
            )
        except Invalid as refusal:
            wrong = [f"{one.field}: {one.detail}" for one in refusal.each()]
            raise CommandError("\n".join(wrong)) from None
        Output(self.stdout, as_json=as_json).said(
            f"Job {job.id} is {job.status}.", id=job.id, status=job.status
        )


def _object(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(read, dict):
        raise ArgumentTypeError("give a JSON object, for example '{\"width\": 640}'")
    return read


def _retries(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MAX_RETRIES):
        raise ArgumentTypeError(f"give a number from 0 to {MAX_RETRIES}")
    return int(text)
