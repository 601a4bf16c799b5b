"""Jobs to look at. They are changed by the queue's own functions only."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from jobs.admin.read_only import ReadOnlyAdmin
from jobs.models import STATUSES_BY_ID, Job, JobAttempt, JobEvent, JobMetrics
from jobs.priorities import BY_NAME, HIGHEST, LOWEST, name_of
from jobs.processors.registry import processors
from jobs.queue.cancel import cancel_where
from jobs.queue.dead_letter import replay_where, retry_where
from jobs.queue.selection import Selection

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Job]
else:
    TabularInline = admin.TabularInline


class Change(Protocol):
    """Does something to many jobs; returns to how many."""

    def __call__(self, selection: Selection, *, actor: str) -> int: ...


class ReadOnlyInline(TabularInline):
    """Rows that belong to a job."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds rows here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes rows here."""
        return False


class PriorityFilter(admin.SimpleListFilter):
    """By the name of the priority."""

    title = "priority"
    parameter_name = "priority"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The names."""
        return [(name, name) for name in BY_NAME]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """Jobs with a number of that name."""
        if self.value() is None:
            return queryset
        numbers = [n for n in range(LOWEST, HIGHEST + 1) if name_of(n) == self.value()]
        return queryset.filter(priority__in=numbers)


class JobTypeFilter(admin.SimpleListFilter):
    """By job type, as the registry knows them: to ask the table would be to read all of it."""

    title = "job type"
    parameter_name = "job_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The types that this deployment knows."""
        return [(job_type, job_type) for job_type in sorted(processors())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """Jobs of that type."""
        return queryset if self.value() is None else queryset.filter(job_type=self.value())


class AttemptInline(ReadOnlyInline):
    """The attempts that did not complete the job."""

    model = JobAttempt
    fields = ("number", "outcome", "worker", "started_at", "ended_at", "error_message", "traceback")
    readonly_fields = fields


class EventInline(ReadOnlyInline):
    """What people did to the job."""

    model = JobEvent
    fields = ("at", "kind", "actor", "detail")
    readonly_fields = fields


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs, newest first."""

    list_display = ("id", "job_type", "status", "named_priority", "source_file", "created_at")
    list_filter = ("status", JobTypeFilter, PriorityFilter)
    search_fields = ("id",)
    search_help_text = "A whole job id."
    inlines = (AttemptInline, EventInline)
    actions = ("cancel", "retry", "replay")

    def walked(self, request: HttpRequest) -> QuerySet[Job]:
        """Of what FAILED or is IN_PROGRESS there is an index."""
        status = request.GET.get("status__exact") or request.GET.get("status")
        jobs = Job.objects.all()
        return jobs.filter(status=status) if status in STATUSES_BY_ID else jobs

    @admin.display(description="priority")
    def named_priority(self, job: Job) -> str:
        """The name that clients see, and the number."""
        return f"{name_of(job.priority)} ({job.priority})"

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Who may change jobs may have the queue change them."""
        return request.user.has_perm("jobs.change_job")

    @admin.action(description="Cancel", permissions=["operate"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Final ones are passed over."""
        self._change(request, queryset, cancel_where, "cancelled, or told to stop")

    @admin.action(description="Retry", permissions=["operate"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """FAILED and CANCELLED ones; others are passed over."""
        self._change(request, queryset, retry_where, "queued again")

    @admin.action(description="Replay as new jobs", permissions=["operate"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Final ones; others are passed over."""
        self._change(request, queryset, replay_where, "submitted anew")

    def _change(
        self, request: HttpRequest, queryset: QuerySet[Job], change: Change, what: str
    ) -> None:
        chosen = Selection(ids=list(queryset.values_list("id", flat=True)))
        changed = change(chosen, actor=request.user.get_username())
        self.message_user(request, f"{changed} of {len(chosen.ids or ())} jobs {what}.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        """By primary key: a search inside the ids' text would read the whole table."""
        if not search_term:
            return self.newest(request, queryset), False
        try:
            return queryset.filter(id=UUID(search_term.strip())), False
        except ValueError:
            return queryset.none(), False


@admin.register(JobMetrics)
class JobMetricsAdmin(ReadOnlyAdmin):
    """What jobs cost."""

    list_display = (
        "job_id",
        "peak_cpu_usage",
        "memory_usage_mb",
        "processing_time_seconds",
        "simulated",
        "created_at",
    )
