"""`manage.py create_job`: submit one job from the command line."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rest_framework.exceptions import ValidationError

from jobs.api.job_serializers import MAX_RETRIES, NewJobSerializer
from jobs.checks import TAG
from jobs.console import arguments
from jobs.console.output import Output
from jobs.console.refusals import in_words
from jobs.models import Job
from jobs.processors.contract import Invalid
from jobs.submission import take

DESCRIPTION = """\
Submit one job.

  create_job 'Holiday film' --source film.mov --format avi
  create_job film.mov                        the same file to mp4
  create_job Report --type send_email --parameters '{"recipient": "ann@example.org", ...}'
  create_job film.mov --priority 5 --max_retries 2 --schedule_at '2030-04-07 10:30:00'

Without --type the job is a transcode. Its source is then the file that NAME names, unless --source
says otherwise."""

FORMAT = "mp4"
# What the API calls it, and what it is called here.
OPTIONS = {
    "name": "NAME",
    "job_type": "--type",
    "source_file": "--source",
    "target_format": "--format",
    "scheduled_at": "--schedule_at",
}


class Command(BaseCommand):
    """Parses the arguments; the rules are those of the API."""

    help = DESCRIPTION
    requires_system_checks = (TAG,)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Keep the line breaks of the help text."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See DESCRIPTION."""
        parser.add_argument("name", metavar="NAME", help="what people call it")
        parser.add_argument("--type", dest="job_type", metavar="TYPE", help="default: transcode")
        parser.add_argument("--source", metavar="FILE", help="in MEDIA_ROOT/sources")
        parser.add_argument("--format", help=f"of the output; default of a transcode: {FORMAT}")
        parser.add_argument(
            "--parameters", type=arguments.json_object, default={}, metavar="JSON",
            help="an object; see GET /api/v1/jobs/types",
        )  # fmt: skip
        parser.add_argument(
            "--priority", type=arguments.priority, help="high (10), default (5), low (1) or 0-10"
        )
        parser.add_argument(
            "--max_retries", "--max-retries", type=arguments.retries(MAX_RETRIES), metavar="N",
            help="attempts after the first; default: the type's",
        )  # fmt: skip
        parser.add_argument(
            "--schedule_at", "--schedule-at", type=arguments.moment, metavar="TIME",
            help="not before then; without a zone in that of TIME_ZONE",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", dest="as_json", help="for machines")

    def handle(self, *args: Any, as_json: bool, **options: Any) -> None:
        """Submit, and say the id."""
        with in_words():
            job = _submit(_request(options))
            Output(self.stdout, as_json=as_json).said(
                f"Job {job.id} is {job.status}.", id=job.id, status=job.status
            )


def _request(options: Mapping[str, Any]) -> dict[str, Any]:
    """As a client of the API would say it."""
    transcodes = options["job_type"] is None
    moment = options["schedule_at"]
    return {
        "name": options["name"],
        "job_type": options["job_type"],
        "source_file": options["source"] or (options["name"] if transcodes else ""),
        "target_format": options["format"] or (FORMAT if transcodes else ""),
        "parameters": options["parameters"],
        "priority": options["priority"],
        "max_retries": options["max_retries"],
        "scheduled_at": moment and moment.isoformat(),
    }


def _submit(request: Mapping[str, Any]) -> Job:
    try:
        asked = NewJobSerializer(data=request)
        asked.is_valid(raise_exception=True)
        return take(asked.submission())
    except ValidationError as error:
        raise CommandError("\n".join(_wrong(error))) from None
    except Invalid as error:
        lines = [f"{OPTIONS.get(one.field, one.field)}: {one.detail}" for one in error.each()]
        raise CommandError("\n".join(lines)) from None


def _wrong(error: ValidationError) -> Iterator[str]:
    assert isinstance(error.detail, dict)  # noqa: S101 - of a serializer
    for field, details in error.detail.items():
        for detail in details:
            yield f"{OPTIONS.get(field, f'--{field}')}: {detail}"
