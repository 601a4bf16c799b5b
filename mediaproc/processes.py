"""Run web and one worker a pool from the Procfile, and start again what dies.

    python -m mediaproc.processes

A process that ends by itself is started again after a pause, which doubles from death to death.
After five in a row, each within ten seconds of its start, all are stopped: then something is wrong
that a start does not mend. SIGTERM ends all, within six seconds. None outlives this one, even by
kill -9: the kernel sends each SIGTERM then.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO

from mediaproc.parent_death import die_with_parent

_PROCFILE = Path(__file__).resolve().parent.parent / "Procfile"
_LINE = re.compile(r"^(\w+): *(.+)$", re.MULTILINE)
_SYSTEM = "system"
# The lines that are run, with the colours of their names in a terminal.
_COLOURS = {_SYSTEM: 37, "web": 36, "worker_high": 33, "worker_low": 35}
_LOOK_SECONDS = 0.1
_QUICK_SECONDS = 10.0
_MOST_DEATHS = 5
_FIRST_PAUSE_SECONDS = 0.5
_STOP_SECONDS = 6.0

_output_lock = threading.Lock()


class KeepsDyingError(Exception):
    """A process dies whenever it is started; the message says which and how."""


class Process:
    """A process that was started, and what shows its output."""

    def __init__(self, name: str, command: str) -> None:
        self._name = name
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_tied(),  # noqa: PLW1509 - it takes no lock that a thread of ours may hold
        )
        self._output = threading.Thread(
            target=_show, args=(name, self._process.stdout), daemon=True
        )
        self._output.start()
        _say(_SYSTEM, f"{name} started (process {self._process.pid})")

    @property
    def ended(self) -> str | None:
        """How it ended, in words; None while it runs."""
        code = self._process.poll()
        if code is None or code >= 0:
            return None if code is None else f"ended with exit code {code}"
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
        return f"was killed by signal {-code}"  # one of the nameless, for real time

    @property
    def seconds(self) -> float:
        """How long ago it was started."""
        return time.monotonic() - self._began

    def terminate(self) -> None:
        """Tell it to end, and nobody else: what it started is its own to end."""
        self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Until it has ended; after `deadline`, on the monotonic clock, it is killed."""
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _say(_SYSTEM, f"{self._name} takes too long to end and is killed")
        self.kill()

    def kill(self) -> None:
        """With what it left: children of a gunicorn that was killed hold its port for a while."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._output.join(1.0)


class Program:
    """A line of the Procfile, which is to run all the time."""

    def __init__(self, name: str, command: str) -> None:
        self._name = name
        self._command = command
        self.process: Process | None = None
        self._start_at = 0.0
        self._deaths = 0

    def tend(self) -> None:
        """Start it when it is time to. Raises KeepsDyingError."""
        if self.process is None:
            if time.monotonic() >= self._start_at:
                self.process = Process(self._name, self._command)
        elif (how := self.process.ended) is not None:
            self.process.kill()
            quick = self.process.seconds < _QUICK_SECONDS
            self._deaths = self._deaths + 1 if quick else 1
            self.process = None
            self._plan_start(how)

    def _plan_start(self, how: str) -> None:
        if self._deaths == _MOST_DEATHS:
            raise KeepsDyingError(
                f"{self._name} died {_MOST_DEATHS} times in a row, soon after its start; the last"
                f" time it {how}. What it said is above. Everything was stopped."
            )
        pause = _FIRST_PAUSE_SECONDS * 2 ** (self._deaths - 1)
        self._start_at = time.monotonic() + pause
        _say(_SYSTEM, f"{self._name} {how} and is started again in {pause:g} s")


class _Told:
    """Whether somebody told us to stop."""

    def __init__(self) -> None:
        self.stop = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stop = True


def main() -> int:
    """Exit code: 0 when told to stop, 1 after one line that says what keeps dying."""
    told = _Told()
    commands = dict(_LINE.findall(_PROCFILE.read_text()))
    programs = [Program(name, commands[name]) for name in _COLOURS if name != _SYSTEM]
    try:
        while not told.stop:
            for program in programs:
                program.tend()
            time.sleep(_LOOK_SECONDS)
    except KeepsDyingError as error:
        _stop(programs)
        print(f"mediaproc: {error}", file=sys.stderr)
        return 1
    _stop(programs)
    return 0


def _stop(programs: list[Program]) -> None:
    processes = [program.process for program in programs if program.process is not None]
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    for process in processes:
        process.wait(deadline)


def _tied() -> Callable[[], None]:
    """For a child to call: it gets SIGTERM when we die, and dies of it."""
    tie = die_with_parent(signal.SIGTERM)

    def begin() -> None:
        # Until it runs its program it would have our handler, which only takes a note.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        tie()

    return begin


def _show(name: str, output: IO[bytes]) -> None:
    for line in output:
        _say(name, line.decode(errors="replace").rstrip("\n"))


def _say(name: str, line: str) -> None:
    head = f"{time.strftime('%H:%M:%S')} {name:11} |"
    if sys.stdout.isatty():
        head = f"\033[{_COLOURS[name]}m{head}\033[0m"
    # What they do goes on where nobody reads it any more.
    with _output_lock, suppress(OSError):
        sys.stdout.write(f"{head} {line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
