"""Whose jobs a request is about. What is not one's own is not there: 404, as for an unknown id."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from accounts.permissions import Asker, is_admin
from jobs.api.ids import UNKNOWN, id_of
from jobs.api.walks import Walk, along
from jobs.models import Job, Schedule
from jobs.stats.ended import NOBODY


def jobs_of(request: Request) -> QuerySet[Job]:
    """The jobs that this request may see and change: one's own, for staff with the scope admin all,
    without an account those that have no owner."""
    jobs = Job.objects.all()
    return jobs if is_admin(request) else jobs.filter(owner_id=owner_of(request))


def schedules_of(request: Request) -> Walk[Schedule]:
    """The schedules, likewise."""
    schedules = Schedule.objects.all()
    return Walk(schedules) if is_admin(request) else along("owner_id", owner_of(request), schedules)


def job_of(request: Request, job_id: str) -> Job:
    """One of them with its metrics. Raises NotFound, also for what is not an id at all."""
    try:
        return jobs_of(request).select_related("metrics").get(id=id_of(job_id))
    except Job.DoesNotExist:
        raise NotFound(UNKNOWN) from None


def has_batch(whose: int | None, batch: UUID) -> bool:
    """Whether this batch has jobs, and of whom `counted_owner` says. All belong to one owner."""
    items = along("parent_id", batch, Job.objects.all()).ordered()
    owners = list(items.values_list("owner_id", flat=True)[:1])
    return bool(owners) and whose in {None, owners[0] or NOBODY}


def owner_of(request: Asker) -> int | None:
    """Who owns what this request makes; None without an account."""
    user: Any = request.user
    return user.pk if user is not None and user.is_authenticated else None


def counted_owner(request: Request) -> int | None:
    """Whose jobs the figures of this request count: None for all, NOBODY for those of no owner."""
    return None if is_admin(request) else owner_of(request) or NOBODY


def actor_of(request: Request) -> str:
    """For the history of jobs and pools."""
    user: Any = request.user
    return "" if owner_of(request) is None else str(user.get_username())


def user_id_of(request: Request) -> int:
    """Who makes this request, which needs a scope that nobody has without an account."""
    user: Any = request.user
    return int(user.pk)
