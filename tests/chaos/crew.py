"""The worker processes: started, started again when they end, told to stop and to go on."""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.chaos.clock import now
from tests.chaos.insist import TROUBLES, note
from tests.chaos.ledger import Tail
from tests.chaos.plan import EVERYONE, SLOTS, Workforce
from tests.chaos.points import make_counters
from tests.chaos.stage import Stage
from tests.service import PROJECT

_TICK_SECONDS = 0.02
_AGAIN_SECONDS = 0.2
_END_SECONDS = 20.0
_STALL_SECONDS = 1.0


class Crew(threading.Thread):
    """Holds one process in every slot."""

    def __init__(self, stage: Stage, workforce: Workforce) -> None:
        super().__init__(name="crew", daemon=True)
        self._stage = stage
        self._workforce = workforce
        self._tail = Tail(stage.records)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._start_at = dict.fromkeys(SLOTS, 0.0)
        self._continue_at: list[tuple[float, str, int]] = []
        self._ending = threading.Event()
        self.counts: dict[str, int] = {}
        for slot in SLOTS:
            make_counters(self._counters(slot))

    def run(self) -> None:
        """Until `end`."""
        ticked = now()
        while not self._ending.wait(_TICK_SECONDS):
            self._notice_stall(now() - ticked)
            ticked = now()
            try:
                self._tick()
            except TROUBLES as error:
                note("tick of the crew", error, self._stage.ledger)

    def _tick(self) -> None:
        self._read()
        self._continue()
        for slot in SLOTS:
            self._reap(slot)
            if slot not in self._processes and now() >= self._start_at[slot]:
                self._start(slot)

    def send(self, slot: str, number: signal.Signals, kind: str, name: str = "") -> None:
        """Send a signal to the process in a slot, if there is one, and write it down before."""
        process = self._processes.get(slot)
        if process is not None and process.poll() is None:
            self._stage.ledger.write(
                "fault", kind=kind, slot=slot, pid=process.pid, name=name or kind
            )
            process.send_signal(number)

    def stop(self, slot: str, seconds: float, name: str) -> None:
        """SIGSTOP, and SIGCONT after so long."""
        process = self._processes.get(slot)
        if process is not None and process.poll() is None:
            # `_read` finds this record and sends the SIGCONT.
            values: dict[str, Any] = {
                "kind": "stop",
                "slot": slot,
                "pid": process.pid,
                "seconds": seconds,
            }
            self._stage.ledger.write("fault", name=name, **values)
            process.send_signal(signal.SIGSTOP)

    def end(self) -> None:
        """SIGTERM to all; write down how each ended. One that does not end is killed."""
        self._ending.set()
        self.join()
        deadline = now() + _END_SECONDS
        for slot in list(self._processes):
            self.send(slot, signal.SIGCONT, "continue")
            self.send(slot, signal.SIGTERM, "term")
        for slot, process in list(self._processes.items()):
            try:
                process.wait(max(0.1, deadline - now()))
            except subprocess.TimeoutExpired:
                self._stage.ledger.write("hung", slot=slot, pid=process.pid)
                process.kill()
                process.wait()
            self._reap(slot)

    def abandon(self) -> None:
        """Kill whatever is left, when a run breaks off."""
        self._ending.set()
        self.join()
        for process in self._processes.values():
            process.kill()
            process.wait()

    def log(self, slot: str) -> Path:
        """What the processes of a slot have written."""
        return self._stage.folder / f"{slot}.log"

    def _notice_stall(self, seconds: float) -> None:
        """A machine that stands still costs leases like a stop of every process; nobody planned
        it, so it is written down."""
        if seconds > _STALL_SECONDS:
            values: dict[str, Any] = {"t": now() - seconds, "seconds": round(seconds, 2)}
            self._stage.ledger.write("fault", kind="stall", slot=EVERYONE, name="stall", **values)
            self._stage.ledger.write("fault_over", slot=EVERYONE, name="stall")

    def _start(self, slot: str) -> None:
        arguments, environment = self._stage.worker(self._workforce, slot)
        with self.log(slot).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.worker", slot, *arguments],
                cwd=PROJECT,
                env={
                    **environment,
                    "CHAOS_COUNTERS": str(self._counters(slot)),
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes[slot] = process
        self._stage.ledger.write("spawned", slot=slot, pid=process.pid)

    def _reap(self, slot: str) -> None:
        process = self._processes.get(slot)
        if process is None or process.poll() is None:
            return
        del self._processes[slot]
        self._start_at[slot] = now() + _AGAIN_SECONDS
        self._stage.ledger.write("exited", slot=slot, pid=process.pid, code=process.returncode)

    def _read(self) -> None:
        for record in self._tail.new():
            what = record["what"]
            self.counts[what] = self.counts.get(what, 0) + 1
            if what == "fault" and record["kind"] == "stop":
                self._continue_at.append(
                    (record["t"] + record["seconds"], record["slot"], record["pid"])
                )

    def _continue(self) -> None:
        for due in [one for one in self._continue_at if one[0] <= now()]:
            self._continue_at.remove(due)
            _, slot, pid = due
            process = self._processes.get(slot)
            if process is not None and process.pid == pid:
                process.send_signal(signal.SIGCONT)
            self._stage.ledger.write("continued", slot=slot, pid=pid)

    def _counters(self, slot: str) -> Path:
        return self._stage.folder / f"{slot}.counters"
