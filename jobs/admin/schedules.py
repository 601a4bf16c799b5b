"""Recurring schedules: the only rows that are edited in the admin."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from jobs.admin.read_only import NewestAdmin, ReadOnlyAdmin
from jobs.admin.schedule_form import ScheduleForm
from jobs.models import Schedule, ScheduleFire
from jobs.queue import schedules
from jobs.queue.fire import fire_now


@admin.register(Schedule)
class ScheduleAdmin(NewestAdmin):
    """Recurring schedules, kept and fired by hand."""

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
