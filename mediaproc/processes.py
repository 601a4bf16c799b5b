"""Run web and one worker a pool from the Procfile, and end them together.

    python -m mediaproc.processes

A process that ends takes the others with it. None outlives this one, even by kill -9: the kernel
ends honcho's helper of each, and sends each SIGTERM when its helper is gone.
"""

import os
import shlex
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from honcho.environ import parse_procfile  # type: ignore[import-untyped]
from honcho.manager import Manager  # type: ignore[import-untyped]

from mediaproc.parent_death import die_with_parent

_PROCFILE = Path(__file__).resolve().parent.parent / "Procfile"
_NAMES = ("web", "worker_high", "worker_low")
# honcho kills what is left 5 s after the first has ended; nothing, while none has.
_FORCE_SECONDS = 6.0


class _BoundedManager(Manager):  # type: ignore[misc]  # honcho has no types
    def terminate(self) -> None:
        super().terminate()
        signal.setitimer(signal.ITIMER_REAL, _FORCE_SECONDS)

    def force(self, _number: int, _frame: FrameType | None) -> None:
        self.kill()


def _tied(command: str) -> str:
    """`command`, which gets SIGTERM when its parent dies."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return command
    return f"exec {setpriv} --pdeathsig TERM -- /bin/sh -c {shlex.quote(command)}"


def main() -> int:
    """Exit code: that of the process that ended first, or 128 + the signal that ended us."""
    commands = parse_procfile(_PROCFILE.read_text()).processes
    manager = _BoundedManager()
    for name in _NAMES:
        manager.add_process(name, _tied(commands[name]), env=dict(os.environ))
    signal.signal(signal.SIGALRM, manager.force)
    os.register_at_fork(after_in_child=die_with_parent(signal.SIGKILL))
    manager.loop()
    return int(manager.returncode)


if __name__ == "__main__":
    sys.exit(main())
