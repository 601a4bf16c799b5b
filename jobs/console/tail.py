"""Follow jobs: a line for every change of status or progress that is seen."""

import time
from collections.abc import Callable

from django.db.models import Q

from jobs.console.output import Output
from jobs.models import Job, new_id
from jobs.queue.selection import Selection
from jobs.states import FINAL, Status

EVERY_SECONDS = 0.5
MOST = 500


def tail(output: Output, selection: Selection, until: Callable[[], bool] = lambda: False) -> None:
    """Follow jobs that run and those that come, until interrupted or `until()` is true.

    At most MOST jobs are followed at a time; of a job that runs through between two looks only the
    last state is seen.
    """
    newest = new_id()
    followed: dict[str, tuple[str, int, float | None]] = {}
    while not until():
        looked_for = Q(status=Status.IN_PROGRESS) | Q(id__gt=newest) | Q(id__in=list(followed))
        found = Job.objects.filter(selection.condition()).filter(looked_for)
        for job in found.order_by("id")[:MOST]:
            state = (job.status, job.attempt, job.progress)
            if followed.get(str(job.id)) != state:
                output.line(_line(job))
            if job.status in FINAL:
                followed.pop(str(job.id), None)
                newest = max(newest, job.id)
            else:
                followed[str(job.id)] = state
        time.sleep(EVERY_SECONDS)


def _line(job: Job) -> dict[str, object]:
    moment = job.completed_at or job.started_at or job.queued_at or job.created_at
    return {
        "at": moment,
        "id": str(job.id),
        "status": job.status,
        "job_type": job.job_type,
        "priority": job.priority,
        "attempt": job.attempt,
        "progress": job.progress,
        "message": job.error_message or job.progress_message,
    }
