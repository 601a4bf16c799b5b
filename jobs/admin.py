"""Rows for people to look at. Only schedules are edited here: only `jobs/queue/` changes a job."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from jobs.models import Job, JobMetrics, Schedule, ScheduleFire, WorkerProcess
from jobs.priorities import BY_NAME, HIGHEST, LOWEST, name_of
from jobs.processors.registry import processors
from jobs.queue import schedules
from jobs.queue.fire import fire_now
from jobs.schedule_form import ScheduleForm

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(ModelAdmin):
    """Lists and shows rows. No sorting by columns that have no index."""

    sortable_by = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds rows here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes rows here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes rows here."""
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


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs, newest first."""

    list_display = ("id", "job_type", "status", "named_priority", "source_file", "created_at")
    list_filter = ("status", JobTypeFilter, PriorityFilter)
    search_fields = ("id",)
    search_help_text = "A whole job id."

    @admin.display(description="priority")
    def named_priority(self, job: Job) -> str:
        """The name that clients see, and the number."""
        return f"{name_of(job.priority)} ({job.priority})"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        """By primary key: a search inside the ids' text would read the whole table."""
        if not search_term:
            return queryset, False
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


@admin.register(WorkerProcess)
class WorkerProcessAdmin(ReadOnlyAdmin):
    """Worker processes and when they were last heard of."""

    list_display = ("name", "version", "pools", "wakeup", "started_at", "seen_at")


@admin.register(Schedule)
class ScheduleAdmin(ModelAdmin):
    """Recurring schedules: the only rows that are edited here."""

    form = ScheduleForm
    list_display = ("name", "cron", "time_zone", "job_type", "paused", "next_fire_at", "error")
    list_filter = ("paused",)
    search_fields = ("name",)
    readonly_fields = ("next_fires", "error")
    raw_id_fields = ("owner",)
    actions = ("pause", "resume", "fire_now")

    @admin.display(description="next fires")
    def next_fires(self, schedule: Schedule) -> str:
        """In the schedule's own zone."""
        fires = schedules.next_fires(schedule, 5)
        if not fires:
            return "none"
        zone = ZoneInfo(schedule.time_zone)
        return ", ".join(f"{at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}" for at in fires)

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        """By the queue's door, which knows when it fires next."""
        if change:
            changed = {name: form.cleaned_data[name] for name in form.changed_data}
            schedules.update(obj.id, **changed)
        else:
            schedules.create(id=obj.id, **form.cleaned_data)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Without a list of all that they fired, which goes with them."""
        return [str(schedule) for schedule in objs], {}, set(), []

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """They fire no more until they are resumed."""
        for schedule in queryset:
            schedules.pause(schedule.id)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """They fire again; their policy says what becomes of what they missed."""
        for schedule in queryset:
            schedules.resume(schedule.id)

    @admin.action(description="Fire now", permissions=["change"])
    def fire_now(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """One job each, also of paused ones."""
        for schedule in queryset:
            job = fire_now(schedule.id)
            self.message_user(request, f"{schedule}: job {job.id}")


@admin.register(ScheduleFire)
class ScheduleFireAdmin(ReadOnlyAdmin):
    """What schedules fired, newest first."""

    list_display = ("schedule", "fire_at", "job_id", "fired_at")
    list_select_related = ("schedule",)
    ordering = ("-id",)
