"""`python -m mediaproc.embedded_postgres start|stop|status|url`."""

import argparse
import contextlib
import signal
import sys
from pathlib import Path

from . import keeper
from .control import keeper_pid, stop
from .errors import EmbeddedPostgresError
from .layout import default_root, url
from .server import start

_NOT_RUNNING = 3


def _start(root: Path) -> int:
    with start(root) as server, contextlib.suppress(KeyboardInterrupt):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        print(f"{server.url}\nlog: {server.log}\nCtrl-C lets it go.", flush=True)
        while True:
            signal.pause()
    return 0


def _stop(root: Path) -> int:
    print("stopped" if stop(root) else "was not running")
    return 0


def _status(root: Path) -> int:
    pid = keeper_pid(root.resolve())
    print("not running" if pid is None else f"running, kept by process {pid}: {url(root)}")
    return _NOT_RUNNING if pid is None else 0


def _url(root: Path) -> int:
    print(url(root))
    return 0


_ACTIONS = {
    "start": (_start, "start the server and hold it up until Ctrl-C"),
    "stop": (_stop, "stop it, whoever holds it"),
    "status": (_status, "tell whether it runs (exit code 3 when not)"),
    "url": (_url, "print its DATABASE_URL"),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m mediaproc.embedded_postgres",
        description="The project's own PostgreSQL server.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, (_, meaning) in _ACTIONS.items():
        action = actions.add_parser(name, help=meaning, description=meaning)
        action.add_argument("--root", type=Path, default=default_root(), help="its folder")
    keep = actions.add_parser("keep", description="What start() runs in the background.")
    keep.add_argument("root", type=Path)
    keep.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    if chosen.action == "keep":
        keeper.main(chosen.root, chosen.folder)
        return 0
    action_of, _ = _ACTIONS[chosen.action]
    try:
        return action_of(chosen.root)
    except EmbeddedPostgresError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
