"""Follow jobs: a line for every change of status or progress that is seen."""

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from rich.text import Text

from jobs.console.cells import cell, percent
from jobs.console.looking import ID
from jobs.console.output import Column, Output, plain
from jobs.models import Job, new_id
from jobs.queue.selection import Selection
from jobs.states import FINAL, Status

EVERY_SECONDS = 0.5
LOOKS_BACK = 10  # a submission is seen at its commit, which may come after that of later ones
MOST = 500


def _clock(moment: datetime) -> Text:
    return Text(timezone.localtime(moment).strftime("%H:%M:%S"))


def _padded(status: str) -> Text:
    return cell(status) + Text(" " * (len(Status.IN_PROGRESS) - len(status)))


def _percent(progress: float | None) -> Text:
    return Text(percent(progress).plain.rjust(len("100%")))


LINE = (
    Column("at", _clock),
    ID,
    Column("status", _padded),
    Column("progress", _percent),
    *plain("job_type", "message"),
)

State = tuple[str, int, float | None]


def tail(output: Output, selection: Selection, until: Callable[[], bool] = lambda: False) -> None:
    """Follow jobs that run and those that come, until `until()` is true.

    A look sees all that runs, the newest MOST of those that came within LOOKS_BACK looks, and the
    newest MOST of what was seen before. Of a job that runs through between two looks only the end
    is seen. Conditions on status and error say which lines are shown.
    """
    wanted = Job.objects.filter(replace(selection, status=None, error_code=None).condition())
    marks = deque([new_id()], maxlen=LOOKS_BACK)
    told: dict[UUID, State] = {}
    while not until():
        for job in _look(wanted, told, marks[0]):
            state = (job.status, job.attempt, job.progress)
            if told.get(job.id) != state and _shown(job, selection):
                output.line(LINE, _line(job))
            told[job.id] = state
        told = _kept(told, marks[0])
        marks.append(new_id())
        time.sleep(EVERY_SECONDS)


@contextmanager
def until_interrupted() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed, for `until`. The second one ends the block at once.

    An exception out of the signal's handler can come amid a destructor, where Python prints it and
    goes on: then nothing would end.
    """
    pressed = threading.Event()

    def press(*_: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, press)
    try:
        with suppress(KeyboardInterrupt):
            yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _look(wanted: QuerySet[Job], told: dict[UUID, State], mark: UUID) -> list[Job]:
    """In the order of submission. Each statement reads few rows by an index."""
    open_ones = [job_id for job_id, (status, *_) in told.items() if status not in FINAL]
    running = wanted.filter(status=Status.IN_PROGRESS)
    come = wanted.filter(id__gt=mark).order_by("-id")[:MOST]
    seen = wanted.filter(id__in=open_ones)
    found = {job.id: job for jobs in (come, running, seen) for job in jobs}
    return sorted(found.values(), key=lambda job: job.id)


def _kept(told: dict[UUID, State], mark: UUID) -> dict[UUID, State]:
    """What has not ended, or would count as having come; of that the newest, and all that runs."""
    newest = set(sorted(told)[-MOST:])
    return {
        job_id: state
        for job_id, state in told.items()
        if (job_id in newest or state[0] == Status.IN_PROGRESS)
        and (state[0] not in FINAL or job_id > mark)
    }


def _shown(job: Job, selection: Selection) -> bool:
    return selection.status in (None, job.status) and selection.error_code in (None, job.error_code)


def _line(job: Job) -> dict[str, object]:
    return {
        "at": timezone.now(),
        "id": str(job.id),
        "status": job.status,
        "job_type": job.job_type,
        "priority": job.priority,
        "attempt": job.attempt,
        "progress": job.progress,
        "message": job.error_message or job.progress_message,
    }
