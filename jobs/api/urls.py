"""The addresses of the API. A last slash is optional: see ApiPathMiddleware."""

from django.urls import path

from jobs.api.bulk import DeadLetter, ReplayJobs, RetryJobs
from jobs.api.jobs import CancelJob, JobEvents, Jobs, OneJob, ReplayJob, RetryJob
from jobs.api.pools import PausePool, Pools, ResumePool
from jobs.api.schedules import OneSchedule, PauseSchedule, ResumeSchedule, Schedules
from jobs.api.stats import JobCounts, JobStatistics
from jobs.api.types import JobTypes
from jobs.api.views import JobStatus, ServiceHealth, SubmitJob

app_name = "api"
urlpatterns = [
    path("submit_job", SubmitJob.as_view(), name="submit_job"),
    path("job/<str:job_id>/status", JobStatus.as_view(), name="job_status"),
    path("jobs", Jobs.as_view(), name="jobs"),
    path("jobs/health", ServiceHealth.as_view(), name="health"),
    path("jobs/stats", JobStatistics.as_view(), name="statistics"),
    path("jobs/stats/counts", JobCounts.as_view(), name="counts"),
    path("jobs/types", JobTypes.as_view(), name="job_types"),
    path("jobs/dead-letter", DeadLetter.as_view(), name="dead_letter"),
    path("jobs/retry", RetryJobs.as_view(), name="retry_jobs"),
    path("jobs/replay", ReplayJobs.as_view(), name="replay_jobs"),
    path("jobs/<str:job_id>", OneJob.as_view(), name="job"),
    path("jobs/<str:job_id>/cancel", CancelJob.as_view(), name="cancel_job"),
    path("jobs/<str:job_id>/retry", RetryJob.as_view(), name="retry_job"),
    path("jobs/<str:job_id>/replay", ReplayJob.as_view(), name="replay_job"),
    path("jobs/<str:job_id>/events", JobEvents.as_view(), name="job_events"),
    path("pools", Pools.as_view(), name="pools"),
    path("pools/<str:pool>/pause", PausePool.as_view(), name="pause_pool"),
    path("pools/<str:pool>/resume", ResumePool.as_view(), name="resume_pool"),
    path("schedules", Schedules.as_view(), name="schedules"),
    path("schedules/<str:schedule_id>", OneSchedule.as_view(), name="schedule"),
    path("schedules/<str:schedule_id>/pause", PauseSchedule.as_view(), name="pause_schedule"),
    path("schedules/<str:schedule_id>/resume", ResumeSchedule.as_view(), name="resume_schedule"),
]
