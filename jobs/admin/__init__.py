"""The admin: one module a subject."""

from jobs.admin import jobs, schedules, workers

__all__ = ["jobs", "schedules", "workers"]
