"""`python -m mediaproc.client`: log in, submit, look, wait, cancel and fetch from a shell."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mediaproc.client import Client, Job, JobNotCompleted, MediaprocError, NotAuthenticated
from mediaproc.client.bar import progress_bar


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 when a job that was waited for did not complete, 2 for what is refused."""
    asked = _parser().parse_args(arguments)
    try:
        with Client(asked.url, asked.token) as client:
            return _do(client, asked)
    except JobNotCompleted as error:
        print(f"mediaproc: {error}", file=sys.stderr)
        return 1
    except (MediaprocError, ValueError) as error:
        print(f"mediaproc: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mediaproc.client", description=__doc__)
    parser.add_argument(
        "--url",
        default=os.environ.get("MEDIAPROC_URL", "http://localhost:8000"),
        help="the service (default: MEDIAPROC_URL, else %(default)s)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    submit = commands.add_parser("submit", help="a new job")
    submit.add_argument("source_file")
    submit.add_argument("--to", required=True, dest="target_format", metavar="FORMAT")
    submit.add_argument("--priority", help="high, default, low or 0-10")
    submit.add_argument("--name", default="")
    submit.add_argument("--wait", action="store_true", help="until it is final, with a bar")
    submit.add_argument("--output", type=Path, metavar="PATH", help="wait, then download to here")
    for name, text in (("show", "how a job stands"), ("cancel", "cancel a job")):
        commands.add_parser(name, help=text).add_argument("job")
    output = commands.add_parser("output", help="download what a job made")
    output.add_argument("job")
    output.add_argument("path", type=Path, help="a file, or a folder that is there")
    login = commands.add_parser("login", help="print a token, for MEDIAPROC_TOKEN")
    login.add_argument("username")
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="the answer as it came")
    # Not an option: the list of processes would show it.
    parser.set_defaults(token=os.environ.get("MEDIAPROC_TOKEN") or None)
    return parser


def _do(client: Client, asked: argparse.Namespace) -> int:
    if asked.command == "login":
        token = _login(client, asked.username)
        print(json.dumps({"token": token}) if asked.json else token)
        return 0
    if asked.command == "submit":
        job = client.submit(
            asked.source_file, asked.target_format, name=asked.name, priority=_priority(asked)
        )
        if asked.wait or asked.output:
            with progress_bar(job) as show:
                job = client.wait(job, on_progress=show)
    elif asked.command == "cancel":
        job = client.cancel(asked.job)
    else:
        job = client.get(asked.job)
    _print(job, as_json=asked.json)
    if asked.command == "submit" and job.is_final and job.status != "COMPLETED":
        raise JobNotCompleted(job)
    if path := getattr(asked, "output", None) or getattr(asked, "path", None):
        print(f"Saved {client.output(job, path)}", file=sys.stderr)
    return 0


def _login(client: Client, username: str) -> str:
    """Asks for a code only where the account has a second factor."""
    password = getpass.getpass()
    try:
        return client.account.login(username, password)
    except NotAuthenticated as error:
        if error.code != "otp_required":
            raise
    return client.account.login(username, password, otp=getpass.getpass("Code: ").strip())


def _priority(asked: argparse.Namespace) -> int | str | None:
    text: str | None = asked.priority
    return int(text) if text is not None and text.isdigit() else text


def _print(job: Job, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(job.raw))
    else:
        done = f" {job.progress:.0%}" if job.progress is not None and not job.is_final else ""
        why = (job.error_message or "").partition("\n")[0]
        print(f"{job.id} {job.status}{done} {why}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
