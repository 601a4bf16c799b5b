"""A schedule as people edit it: refused in words before it is saved."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms

from jobs.cron import BadCron, BadTimeZone, parse_cron
from jobs.models import Schedule
from jobs.processors.admission import admit
from jobs.processors.contract import Invalid

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Schedule]
else:
    ModelForm = forms.ModelForm


class ScheduleForm(ModelForm):
    """Cron, zone, and what the job type says of the rest."""

    class Meta:
        model = Schedule
        fields: ClassVar = [
            "name",
            "cron",
            "time_zone",
            "missed_runs",
            "paused",
            "job_type",
            "source_file",
            "target_format",
            "parameters",
            "priority",
            "max_attempts",
            "owner",
        ]

    def clean(self) -> dict[str, Any]:
        """Add an error to each field that is to blame."""
        values = super().clean() or {}
        if {"cron", "time_zone"} <= set(values):
            self._check_times(values["cron"], values["time_zone"])
        values["parameters"] = values.get("parameters") or {}
        if not isinstance(values["parameters"], dict):
            self.add_error("parameters", "Give an object.")
        elif "job_type" in values:
            self._check_work(values)
        return values

    def _check_times(self, cron: str, time_zone: str) -> None:
        try:
            parse_cron(cron, time_zone)
        except BadCron as error:
            self.add_error("cron", str(error))
        except BadTimeZone as error:
            self.add_error("time_zone", str(error))

    def _check_work(self, values: dict[str, Any]) -> None:
        try:
            admit(
                values["job_type"],
                values.get("source_file", ""),
                values.get("target_format", ""),
                values["parameters"],
            )
        except Invalid as error:
            for one in error.each():
                field = one.field.partition(".")[0]  # parameters.rate
                self.add_error(field if field in self.fields else None, one.detail)
