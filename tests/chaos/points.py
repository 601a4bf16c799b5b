"""Named points in a worker process, and what the plan does there: `kill@claim.after_commit#37`.

Passes are counted a worker slot and not a process: the counters live in a file that is mapped into
memory, so that the successor of a killed worker counts on.
"""

import ctypes
import mmap
import os
import signal
import struct
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.chaos import clock
from tests.chaos.ledger import Ledger
from tests.chaos.plan import Fault

POINTS = (
    "claim.before",
    "claim.after_commit",
    "processor.start",
    "processor.effect",
    "processor.end",
    "finish.before",
    "finish.after_commit",
    "heartbeat.before",
    "heartbeat.after_commit",
    "rescue.before",
    "rescue.between",  # only a mutant has it
    "rescue.after_commit",
    "promote.before",
    "promote.after_commit",
)
_COUNTER = struct.Struct("<Q")
_sleep: Callable[[float], None] = time.sleep


class Points:
    """Counts passes, and does what is planned for one."""

    def __init__(self, ledger: Ledger, slot: str, faults: Sequence[Fault], counters: Path) -> None:
        self._ledger = ledger
        self._slot = slot
        self._planned = {(fault.point, fault.number): fault for fault in faults if fault.point}
        self._lock = threading.Lock()
        with counters.open("r+b") as file:
            self._counters = mmap.mmap(file.fileno(), len(POINTS) * _COUNTER.size)

    def reach(self, point: str) -> None:
        """The process is here."""
        with self._lock:
            at = POINTS.index(point) * _COUNTER.size
            number = _COUNTER.unpack_from(self._counters, at)[0] + 1
            _COUNTER.pack_into(self._counters, at, number)
        fault = self._planned.get((point, number))
        if fault is not None:
            self.tell("fault", kind=fault.kind, name=fault.name, seconds=fault.seconds)
            _ACTIONS[fault.kind](fault)

    def tell(self, what: str, **values: Any) -> None:
        """Write a record that says which process it comes from."""
        self._ledger.write(what, slot=self._slot, pid=os.getpid(), **values)


def make_counters(path: Path) -> None:
    """All counters at zero."""
    path.write_bytes(bytes(len(POINTS) * _COUNTER.size))


def _segfault(_fault: Fault) -> None:
    ctypes.string_at(0)


_ACTIONS: dict[str, Callable[[Fault], object]] = {
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    # Who runs the plan reads of it in the ledger and sends SIGCONT after the fault's seconds.
    "stop": lambda _: os.kill(os.getpid(), signal.SIGSTOP),
    "segfault": _segfault,
    "exit": lambda _: os._exit(9),
    "wait": lambda fault: _sleep(fault.seconds),
    "clock": lambda fault: clock.jump(fault.seconds),
}


class _Nowhere:
    """Outside a worker: the web server imports processors too."""

    def reach(self, point: str) -> None:
        """Nothing."""

    def tell(self, what: str, **values: Any) -> None:
        """Nothing."""


here: Points | _Nowhere = _Nowhere()


def install(points: Points) -> None:
    """From now on `here` is that."""
    global here  # noqa: PLW0603 - processors are made by the engine and find it by this name
    here = points
