"""`manage.py run_workers`: claim and process jobs until told to stop."""

from argparse import Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs.checks import TAG
from jobs.priorities import MAX_THREADS, Pool, parse_pools
from jobs.worker.runner import Runner

DESCRIPTION = """\
Claim and process jobs until told to stop.

  run_workers --queue high                      the high pool, with its threads from POOLS
  run_workers --queue high --threads 8          the same with 8 threads
  run_workers --queue high --queue low          both pools in one process
  run_workers --queue low --once                empty the queue and exit

SIGTERM or Ctrl-C: claim no more, give running jobs WORKER_GRACE_SECONDS, then hand them back to
the queue at no cost of an attempt. A second signal hands them back at once. Run as many processes
on as many machines as you like."""


class _Threads(Action):
    """`--threads` speaks of the `--queue` before it."""

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if not namespace.queue:
            parser.error("--threads comes after the --queue that it is for")
        if not 1 <= values <= MAX_THREADS:
            parser.error(f"--threads runs from 1 to {MAX_THREADS}, not {values}")
        setattr(namespace, self.dest, {**(namespace.threads or {}), namespace.queue[-1]: values})


class Command(BaseCommand):
    """Parses the arguments; the work is in jobs/worker/runner.py."""

    help = DESCRIPTION
    # The rest of the checks would load every page of the web server into every worker.
    requires_system_checks = (TAG,)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Keep the line breaks of the help text."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See DESCRIPTION."""
        parser.add_argument(
            "--queue",
            action="append",
            metavar="POOL",
            default=None,
            help="pool to serve, may be given several times; default: every pool of POOLS",
        )
        parser.add_argument(
            "--threads",
            action=_Threads,
            type=int,
            metavar="N",
            help="threads for the --queue before it; default: as POOLS says",
        )
        parser.add_argument(
            "--once", action="store_true", help="exit when nothing is queued for these pools"
        )

    def handle(
        self,
        *args: Any,
        queue: Sequence[str] | None,
        threads: dict[str, int] | None,
        once: bool,
        **options: Any,
    ) -> None:
        """Run until a signal."""
        pools = [_pool(name, threads or {}) for name in dict.fromkeys(queue or _known())]
        if not Runner(pools, once=once).run():
            raise CommandError("a worker thread broke; the log says why")


def _known() -> dict[str, Pool]:
    return parse_pools(settings.POOLS)


def _pool(name: str, threads: dict[str, int]) -> Pool:
    try:
        pool = _known()[name]
    except KeyError:
        known = ", ".join(_known())
        raise CommandError(
            f"there is no pool {name!r}. Known pools: {known} (from POOLS).", returncode=2
        ) from None
    return replace(pool, threads=threads.get(name, pool.threads))
