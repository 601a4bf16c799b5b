"""Whose jobs a request may see, and to whom the jobs that it makes belong."""

from django.db.models import QuerySet
from rest_framework.request import Request

from jobs.models import Job


def owner_of(request: Request) -> int | None:
    """The primary key of the user; None for nobody."""
    return getattr(request.user, "pk", None)


def jobs_of(request: Request) -> QuerySet[Job]:
    """Staff: all; a user: their own; nobody: those that belong to nobody."""
    if getattr(request.user, "is_staff", False):
        return Job.objects.all()
    return Job.objects.filter(owner=owner_of(request))
