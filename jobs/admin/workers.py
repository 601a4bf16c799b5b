"""Who works, and who is not to."""

from django.contrib import admin

from jobs.admin.read_only import ReadOnlyAdmin
from jobs.models import PausedPool, WorkerProcess


@admin.register(WorkerProcess)
class WorkerProcessAdmin(ReadOnlyAdmin):
    """Worker processes and when they were last heard of."""

    list_display = (
        "name",
        "version",
        "pools",
        "wakeup",
        "started_at",
        "seen_at",
        "drain_requested",
    )


@admin.register(PausedPool)
class PausedPoolAdmin(ReadOnlyAdmin):
    """Pools that claim nothing until they are resumed."""

    list_display = ("name", "paused_at", "paused_by", "reason")
