"""One run: build the stage, load it, hurt it, let it come to rest, judge."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from django.db.utils import Error as DjangoError

from tests.chaos import disk, stage
from tests.chaos.audit import audit, forgiven
from tests.chaos.clock import epoch_of_monotonic, now
from tests.chaos.crew import Crew
from tests.chaos.evidence import Evidence
from tests.chaos.history import History
from tests.chaos.insist import insist, note
from tests.chaos.ledger import read
from tests.chaos.leftovers import leftovers
from tests.chaos.plan import PULSE_DOOR, SLOTS, Plan
from tests.chaos.pulse import Pulse
from tests.chaos.report import Report, make_report, skipped
from tests.waiting import wait_until

_SAY_SECONDS = 5.0
# For which nothing is promised here.
_START_SECONDS = 240.0
_LOOK_SECONDS = 0.02


def run(plan: Plan, *, mutant: str = "", keep_logs: Path | None = None) -> Report:
    """Run a plan, with a known bug put back if one is named. keep_logs: where logs are copied to
    when something is wrong."""
    missing = ""
    if plan.tmpfs:
        try:
            disk.SmallDisk.check()
        except disk.NotPossible as reason:
            missing = f"full_disk, because no file system can be mounted here: {reason}"
            plan = plan.without("full_disk")
    if missing and not plan.faults:
        return skipped(plan, missing)
    with stage.built(plan, mutant) as built:
        return replace(_run(plan, built, keep_logs), skipped=missing)


def _run(plan: Plan, built: stage.Stage, keep_logs: Path | None) -> Report:
    crew = Crew(built, plan.workforce)
    crew.start()
    try:
        drained = _loaded(plan, built, crew)
    finally:
        crew.abandon()
    history = insist(
        lambda: History.read(built.server.url, epoch_of_monotonic()), "the history", built.ledger
    )
    evidence = Evidence(
        read(built.records),
        history,
        drained=drained,
        left=leftovers(built, history.rows),
        workforce=plan.workforce,
    )
    violations = audit(evidence)
    if violations and keep_logs:
        _copy(built.folder, keep_logs)
        (keep_logs / "violations.txt").write_text("".join(f"{one}\n" for one in violations))
    return make_report(plan, evidence, violations, forgiven(evidence, violations))


def _loaded(plan: Plan, built: stage.Stage, crew: Crew) -> bool:
    """Load and hurt it until the plan's end; whether every job became final in time."""
    # These need Django, which knows its database once the stage is built.
    from tests.chaos.driver import Driver
    from tests.chaos.faults import Faults

    _wait_for_workers(built)
    driver = Driver(plan, built.ledger, built.web.url)
    teller = _Teller(plan, crew)
    teller.start()
    time.sleep(plan.idle_seconds)
    pulse = Pulse(built.ledger, built.address_of(PULSE_DOOR))
    pulse.start()
    driver.start()
    try:
        Faults(plan, built, crew, driver).run()
    finally:
        driver.end()
    drained = _drained(plan, built, pulse)
    crew.end()
    pulse.end()
    teller.end()
    _settle()
    return drained


def _wait_for_workers(built: stage.Stage) -> None:
    from jobs.models import WorkerProcess

    def serving() -> bool:
        return WorkerProcess.objects.count() >= len(SLOTS)

    wait_until(
        lambda: _asked(serving, "count the workers", built),
        "all workers serve",
        seconds=_START_SECONDS,
    )


def _drained(plan: Plan, built: stage.Stage, pulse: Pulse) -> bool:
    """Wait until every job is final; False when it takes longer than the plan allows."""
    from jobs.models import Job
    from jobs.states import FINAL

    def done() -> bool:
        return not Job.objects.exclude(status__in=FINAL).exists()

    began = now()
    while not _asked(done, "look for jobs that are not final", built):
        if now() - began > plan.drain_seconds + pulse.stalled_since(began):
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _asked(question: Callable[[], bool], what: str, built: stage.Stage) -> bool:
    """The database's answer; False while it gives none."""
    try:
        return question()
    except DjangoError as error:
        note(what, error, built.ledger)
        _settle()
        return False


def _settle() -> None:
    """The doors are still; what was asked of the database is done."""
    from django.db import connection

    with suppress(DjangoError):
        connection.close()


def _copy(folder: Path, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for path in (*folder.glob("*.log"), *folder.glob("*.jsonl"), *folder.glob("plan.json")):
        (to / path.name).write_bytes(path.read_bytes())


class _Teller(threading.Thread):
    """Says every few seconds how far it is."""

    def __init__(self, plan: Plan, crew: Crew) -> None:
        super().__init__(name="teller", daemon=True)
        self._plan = plan
        self._crew = crew
        self._ending = threading.Event()

    def run(self) -> None:
        began = now()
        while not self._ending.wait(_SAY_SECONDS):
            counts = self._crew.counts
            print(
                f"{self._plan.scenario} {self._plan.seed}: {now() - began:4.0f} s,"
                f" {counts.get('acknowledged', 0)} submissions acknowledged,"
                f" {counts.get('end', 0)} attempts ended, {counts.get('fault', 0)} faults,"
                f" {counts.get('exited', 0)} workers ended",
                file=sys.stderr,
                flush=True,
            )

    def end(self) -> None:
        """Say no more."""
        self._ending.set()
