"""`manage.py jobs`: look at jobs and change them."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.checks import TAG
from jobs.console import arguments, changing, looking
from jobs.console.output import Output
from jobs.console.tail import tail
from jobs.queue.errors import QueueError
from jobs.queue.pause import NoSuchPool
from jobs.queue.selection import EVERYTHING, Selection
from jobs.states import Status

DESCRIPTION = """\
Look at jobs and change them. Every subcommand takes --json.

  jobs stats                                 counts, rates, waits and runs by pool and type
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

# Does what a subcommand says; False when something refused.
Act = Callable[[Output, dict[str, Any]], bool | None]


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
        actions = parser.add_subparsers(required=True, metavar="ACTION")

        def add(name: str, help_text: str, act: Act) -> ArgumentParser:
            added: ArgumentParser = actions.add_parser(name, help=help_text, description=help_text)
            added.add_argument("--json", action="store_true", dest="as_json", help="for machines")
            added.set_defaults(act=act)
            return added

        stats = add("stats", "counts, rates, waits and runs by pool and type", _stats)
        stats.add_argument("--hours", type=float, default=24.0, help="how far back; default: 24")
        listing = add("list", "the newest jobs of a selection", _list)
        listing.add_argument("--limit", type=arguments.limit, default=20, help="default: 20")
        show = add("show", "one job with its attempts and events", _show)
        show.add_argument("id", type=arguments.job_id)
        reasons = add("reasons", "failed jobs by reason", _reasons)
        following = add("tail", "follow what happens", _tail)
        changes = [
            add("retry", "run FAILED or CANCELLED jobs again", _change("retry")),
            add("replay", "submit new jobs like final ones", _change("replay")),
            add("cancel", "cancel jobs that are not final", _change("cancel")),
        ]
        for changed in changes:
            changed.add_argument("ids", nargs="*", type=arguments.job_id, metavar="ID")
        for selecting in (listing, reasons, following, *changes):
            _add_selection(selecting)
        add("workers", "worker processes", _workers)
        add("drain", "let a worker finish and end", _drain).add_argument("worker", metavar="NAME")
        add("pools", "pools and whether they are paused", _pools)
        pause = add("pause", "a pool claims nothing until it is resumed", _pause)
        pause.add_argument("pool")
        pause.add_argument("--reason", default="", help="shown to people")
        add("resume", "a pool claims again", _resume).add_argument("pool")

    def handle(self, *args: Any, act: Act, as_json: bool, **options: Any) -> None:
        """Do it; exit status 1 when a job or a name refused."""
        try:
            done = act(Output(self.stdout, as_json=as_json), options)
        except (QueueError, NoSuchPool, changing.NoSuchWorker) as refusal:
            raise CommandError(str(refusal)) from None
        except KeyboardInterrupt:
            return
        if done is False:
            raise CommandError("not every job could be changed")


def _stats(output: Output, options: dict[str, Any]) -> None:
    looking.show_statistics(output, options["hours"])


def _list(output: Output, options: dict[str, Any]) -> None:
    looking.show_list(output, _selection(options), options["limit"])


def _show(output: Output, options: dict[str, Any]) -> None:
    looking.show_job(output, options["id"])


def _reasons(output: Output, options: dict[str, Any]) -> None:
    looking.show_reasons(output, _selection(options))


def _tail(output: Output, options: dict[str, Any]) -> None:
    tail(output, _selection(options))


def _workers(output: Output, options: dict[str, Any]) -> None:
    looking.show_workers(output)


def _pools(output: Output, options: dict[str, Any]) -> None:
    looking.show_pools(output)


def _drain(output: Output, options: dict[str, Any]) -> None:
    changing.drain_worker(output, options["worker"])


def _pause(output: Output, options: dict[str, Any]) -> None:
    changing.pause_pool(output, options["pool"], options["reason"])


def _resume(output: Output, options: dict[str, Any]) -> None:
    changing.resume_pool(output, options["pool"])


def _change(what: str) -> Act:
    def act(output: Output, options: dict[str, Any]) -> bool:
        selection = _selection(options)
        if options["ids"]:
            return changing.change_each(output, options["ids"], what)
        if selection == EVERYTHING:
            raise CommandError(f"name jobs, or filter: jobs {what} --status FAILED", returncode=2)
        changing.change_selected(output, selection, what)
        return True

    return act


def _add_selection(parser: ArgumentParser) -> None:
    parser.add_argument("--status", choices=[status.value for status in Status], help="a state")
    parser.add_argument("--type", dest="job_type", metavar="TYPE", help="a job type")
    parser.add_argument("--code", dest="error_code", metavar="CODE", help="an error code")
    parser.add_argument("--priority", type=arguments.priority, help="high, default, low or 0-10")
    parser.add_argument(
        "--since", dest="created_from", type=arguments.moment, metavar="TIME", help="submitted then"
    )
    parser.add_argument(
        "--until", dest="created_to", type=arguments.moment, metavar="TIME", help="or before then"
    )


def _selection(options: dict[str, Any]) -> Selection:
    names = ("status", "job_type", "error_code", "priority", "created_from", "created_to")
    return Selection(**{name: options[name] for name in names})
