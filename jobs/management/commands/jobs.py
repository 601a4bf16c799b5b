"""`manage.py jobs`: look at jobs and change them."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.checks import TAG
from jobs.console import arguments, changing, looking
from jobs.console.output import Output
from jobs.console.tail import tail
from jobs.queue.errors import QueueError
from jobs.queue.pause import NoSuchPool
from jobs.queue.selection import Selection
from jobs.states import Status

DESCRIPTION = """\
Look at jobs and change them. Every subcommand takes --json.

  jobs stats                                 counts, rates, waits and runs by pool
  jobs list --status FAILED --limit 20       the newest failed jobs
  jobs show ID                               one job with its attempts and events
  jobs reasons                               failed jobs by reason
  jobs retry ID ...                          the same job again
  jobs retry --status FAILED --type transcode --code timed_out
  jobs replay ID ...                         a new job like the old one
  jobs cancel ID ...                         stop it, running or not
  jobs tail                                  follow what happens, until Ctrl-C
  jobs workers | jobs drain HOST:PID         who works; let one finish and end
  jobs pools | jobs pause POOL | jobs resume POOL"""


class Command(BaseCommand):
    """Parses the arguments; the work is in jobs/console/."""

    help = DESCRIPTION
    requires_system_checks = (TAG,)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Keep the line breaks of the help text."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See DESCRIPTION."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

        def add(name: str, help_text: str) -> ArgumentParser:
            added: ArgumentParser = actions.add_parser(name, help=help_text, description=help_text)
            added.add_argument("--json", action="store_true", dest="as_json", help="for machines")
            return added

        stats = add("stats", "counts, rates, waits and runs by pool")
        stats.add_argument("--hours", type=float, default=24.0, help="how far back; default: 24")
        listing = add("list", "the newest jobs of a selection")
        _add_selection(listing)
        listing.add_argument(
            "--limit", type=arguments.limit, default=20, help="at most so many; default: 20"
        )
        show = add("show", "one job with its attempts and events")
        show.add_argument("id", type=arguments.job_id)
        _add_selection(add("reasons", "failed jobs by reason"))
        for name, help_text in (
            ("retry", "run FAILED or CANCELLED jobs again"),
            ("replay", "submit new jobs like final ones"),
            ("cancel", "cancel jobs that are not final"),
        ):
            changed = add(name, help_text)
            changed.add_argument("ids", nargs="*", type=arguments.job_id, metavar="ID")
            _add_selection(changed)
        _add_selection(add("tail", "follow what happens"))
        add("workers", "worker processes")
        add("drain", "let a worker finish and end").add_argument("worker", metavar="HOST:PID")
        add("pools", "pools and whether they are paused")
        pausing = add("pause", "a pool claims nothing until it is resumed")
        pausing.add_argument("pool")
        pausing.add_argument("--reason", default="", help="shown to people")
        add("resume", "a pool claims again").add_argument("pool")

    def handle(self, *args: Any, action: str, as_json: bool, **options: Any) -> None:
        """Do it; exit status 1 when a job or a name refused."""
        output = Output(self.stdout, as_json=as_json)
        try:
            done = _ACTIONS[action](output, options)
        except (QueueError, NoSuchPool, changing.NoSuchWorker) as refusal:
            raise CommandError(str(refusal)) from None
        except KeyboardInterrupt:
            done = True
        if not done:
            raise CommandError("not every job could be changed", returncode=1)


def _change(output: Output, options: dict[str, Any], what: str) -> bool:
    if options["ids"]:
        return changing.change_each(output, options["ids"], what, changing.CHANGES[what])
    selection = _selection(options)
    if selection == Selection():
        raise CommandError(f"name jobs, or filter: jobs {what} --status FAILED", returncode=2)
    changed = changing.BULK_CHANGES[what](selection)
    output.said(f"{changed} jobs: {what}.", action=what, jobs=changed)
    return True


def _look(look: Any, *names: str) -> Any:
    """An action that only shows something: which of the options its function takes."""

    def act(output: Output, options: dict[str, Any]) -> bool:
        look(output, *[options[name] for name in names])
        return True

    return act


def _select(look: Any, *names: str) -> Any:
    """An action on a selection of jobs."""

    def act(output: Output, options: dict[str, Any]) -> bool:
        look(output, _selection(options), *[options[name] for name in names])
        return True

    return act


_ACTIONS = {
    "stats": _look(looking.show_statistics, "hours"),
    "list": _select(looking.show_list, "limit"),
    "show": _look(looking.show_job, "id"),
    "reasons": _select(looking.show_reasons),
    "tail": _select(tail),
    "workers": _look(looking.show_workers),
    "pools": _look(looking.show_pools),
    "drain": _look(changing.drain_worker, "worker"),
    "pause": _look(changing.pause_pool, "pool", "reason"),
    "resume": _look(changing.resume_pool, "pool"),
    "retry": lambda output, options: _change(output, options, "retry"),
    "replay": lambda output, options: _change(output, options, "replay"),
    "cancel": lambda output, options: _change(output, options, "cancel"),
}


def _add_selection(parser: ArgumentParser) -> None:
    parser.add_argument("--status", choices=[status.value for status in Status], help="a state")
    parser.add_argument("--type", dest="job_type", metavar="TYPE", help="a job type")
    parser.add_argument("--code", dest="error_code", metavar="CODE", help="an error code")
    parser.add_argument("--priority", type=arguments.priority, help="high, default, low or 0-10")
    parser.add_argument(
        "--since",
        dest="created_from",
        type=arguments.moment,
        metavar="TIME",
        help="submitted then or later",
    )
    parser.add_argument(
        "--until", dest="created_to", type=arguments.moment, metavar="TIME", help="submitted before"
    )


def _selection(options: dict[str, Any]) -> Selection:
    names = ("status", "job_type", "error_code", "priority", "created_from", "created_to")
    return Selection(**{name: options[name] for name in names if options[name] is not None})
