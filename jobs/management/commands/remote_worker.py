"""`manage.py remote_worker`: work on jobs of a service that is known by its address alone."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs.processors.declaration import Processor
from jobs.processors.registry import BadRegistry, processors
from jobs.remote.client.loop import RemoteWorker, Settings, Stuck
from jobs.remote.client.server import Refused

DESCRIPTION = """\
Work on jobs of a service over HTTP alone: no database, no shared folder.

  remote_worker --server https://media.example.org --pool low
  remote_worker --server https://media.example.org --types transcode --once

The token, of scope `work`, comes from REMOTE_WORKER_TOKEN or --token. One job at a time: run as
many processes as the machine can bear. SIGTERM or Ctrl-C hands the job back at no cost of an
attempt. docs/remote-workers.md describes the protocol."""


class Command(BaseCommand):
    """Parses the arguments; the work is in jobs/remote/client/."""

    help = DESCRIPTION
    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Keep the line breaks of the help text."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See DESCRIPTION."""
        parser.add_argument("--server", required=True, help="address, without /api/v1")
        parser.add_argument("--token", default="", help="default: REMOTE_WORKER_TOKEN")
        parser.add_argument("--pool", default="low", help="pool to serve, default: low")
        parser.add_argument(
            "--types", default="transcode", help="job types, by comma; default: transcode"
        )
        parser.add_argument("--once", action="store_true", help="end when there are no jobs")

    def handle(
        self, *args: Any, server: str, token: str, pool: str, types: str, once: bool, **options: Any
    ) -> None:
        """Run until a signal."""
        asked = Settings(server, token or settings.REMOTE_WORKER_TOKEN, pool, once)
        if not server.startswith(("http://", "https://")):
            raise CommandError("--server is an address that begins with https:// or http://")
        try:
            RemoteWorker(asked, _chosen(types)).run()
        except (BadRegistry, Refused, Stuck) as error:
            raise CommandError(str(error)) from None


def _chosen(types: str) -> dict[str, Processor]:
    known = processors()
    names = [name.strip() for name in types.split(",")]
    if unknown := sorted(set(names) - known.keys()):
        raise CommandError(
            f"there is no job type {unknown[0]!r}. Known: {', '.join(known)} (from PROCESSORS)."
        )
    return {name: known[name] for name in names}
