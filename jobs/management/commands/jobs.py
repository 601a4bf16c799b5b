"""`manage.py jobs`: look at jobs and change them."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.checks import TAG
from jobs.console import arguments, changing, crew, figures, looking
from jobs.console.output import Output
from jobs.console.refusals import USAGE, in_words
from jobs.console.tail import tail, until_interrupted
from jobs.queue.selection import EVERYTHING

DESCRIPTION = """\
Look at jobs and change them. Every subcommand takes --json, and --help says more of it.

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
  jobs pools | jobs pause POOL | jobs resume POOL

Exit status: 0 done, 1 refused, 2 the command line makes no sense. NO_COLOR=1: no colours."""

Options = dict[str, Any]


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

        def add(name: str, act: Callable[[Output, Options], None], said: str) -> ArgumentParser:
            added: ArgumentParser = actions.add_parser(name, help=said, description=said)
            added.add_argument("--json", action="store_true", dest="as_json", help="for machines")
            added.set_defaults(act=act, action=name)
            return added

        stats = add("stats", _stats, "counts, rates, waits and runs by pool and type")
        stats.add_argument("--hours", type=arguments.hours, default=24.0, help="default: 24")
        listing = add("list", _list, "the newest jobs, or those of a selection")
        listing.add_argument(
            "--limit", type=arguments.limit, default=20, help="at most so many; default: 20"
        )
        show = add("show", _show, "one job with its attempts and events")
        show.add_argument("id", type=arguments.job_id, metavar="ID")
        reasons = add("reasons", _reasons, "failed jobs by reason, the most frequent first")
        following = add("tail", _tail, "follow what happens, until Ctrl-C")
        changes = [
            add("retry", _change, "run FAILED or CANCELLED jobs again, by ids or by a selection"),
            add("replay", _change, "submit new jobs like ended ones, by ids or by a selection"),
            add("cancel", _change, "cancel jobs that have not ended, by ids or by a selection"),
        ]
        for changed in changes:
            changed.add_argument("ids", nargs="*", type=arguments.job_id, metavar="ID")
        for selecting in (listing, reasons, following, *changes):
            arguments.add_selection(selecting)
        add("workers", _workers, "worker processes")
        drain = add("drain", _drain, "let a worker process finish what it runs and end")
        drain.add_argument("worker", metavar="HOST:PID", help="its name in `jobs workers`")
        add("pools", _pools, "pools and whether they are paused")
        pause = add("pause", _pause, "a pool claims nothing until it is resumed")
        pause.add_argument("pool", type=arguments.word)
        pause.add_argument("--reason", type=arguments.reason, default="", help="for other people")
        resume = add("resume", _resume, "a paused pool claims again")
        resume.add_argument("pool", type=arguments.word)

    def handle(
        self, *args: Any, act: Callable[[Output, Options], None], as_json: bool, **options: Any
    ) -> None:
        """Do it."""
        output = Output(self.stdout, as_json=as_json, colours=not options["no_color"])
        with in_words():
            act(output, options)


def _stats(output: Output, options: Options) -> None:
    figures.show_statistics(output, options["hours"])


def _list(output: Output, options: Options) -> None:
    looking.show_list(output, arguments.selection(options), options["limit"])


def _show(output: Output, options: Options) -> None:
    looking.show_job(output, options["id"])


def _reasons(output: Output, options: Options) -> None:
    looking.show_reasons(output, arguments.selection(options))


def _tail(output: Output, options: Options) -> None:
    with until_interrupted() as interrupted:
        tail(output, arguments.selection(options), interrupted)


def _change(output: Output, options: Options) -> None:
    """Either ids or a selection: what of both was meant, nobody can tell."""
    ids, selection, action = options["ids"], arguments.selection(options), options["action"]
    if bool(ids) == (selection != EVERYTHING):
        raise CommandError(
            f"Give either ids or a selection, for example: jobs {action} --status FAILED",
            returncode=USAGE,
        )
    if ids:
        changing.change_each(output, ids, action)
    else:
        changing.change_selected(output, selection, action)


def _workers(output: Output, options: Options) -> None:
    crew.show_workers(output)


def _drain(output: Output, options: Options) -> None:
    crew.drain_worker(output, options["worker"])


def _pools(output: Output, options: Options) -> None:
    crew.show_pools(output)


def _pause(output: Output, options: Options) -> None:
    crew.pause_pool(output, options["pool"], options["reason"])


def _resume(output: Output, options: Options) -> None:
    crew.resume_pool(output, options["pool"])
