"""The addresses of the API. A last slash is optional: see ApiPathMiddleware."""

from django.urls import path

from jobs.api.batch import CancelBatch, JobBatches
from jobs.api.bulk import DeadLetter, ReplayJobs, RetryJobs
from jobs.api.jobs import CancelJob, JobEvents, Jobs, OneJob, ReplayJob, RetryJob
from jobs.api.lease_calls import CompleteJob, FailJob, JobProgress, ReleaseJob
from jobs.api.lease_files import LeasedOutput, LeasedSource
from jobs.api.leases import LeaseJobs
from jobs.api.outputs import JobOutput, OutputLink, SharedOutput
from jobs.api.pools import PausePool, Pools, ResumePool
from jobs.api.schedules import OneSchedule, PauseSchedule, ResumeSchedule, Schedules
from jobs.api.schema import Schema, docs
from jobs.api.stats import JobCounts, JobStatistics
from jobs.api.types import JobTypes
from jobs.api.views import JobStatus, ServiceHealth, SubmitJob

app_name = "api"
urlpatterns = [
    path("schema", Schema.as_view(), name="schema"),
    path("docs", docs, name="docs"),
    path("submit_job", SubmitJob.as_view(), name="submit_job"),
    path("job/<str:job_id>/status", JobStatus.as_view(), name="job_status"),
    path("jobs", Jobs.as_view(), name="jobs"),
    path("jobs/batch", JobBatches.as_view(), name="batch"),
    path("jobs/batch/<str:batch_id>/cancel", CancelBatch.as_view(), name="cancel_batch"),
    path("jobs/health", ServiceHealth.as_view(), name="health"),
    path("jobs/lease", LeaseJobs.as_view(), name="lease"),
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
    path("jobs/<str:job_id>/output", JobOutput.as_view(), name="output"),
    path("jobs/<str:job_id>/output/link", OutputLink.as_view(), name="output_link"),
    path("jobs/<str:job_id>/output/shared", SharedOutput.as_view(), name="shared_output"),
    path("jobs/<str:job_id>/progress", JobProgress.as_view(), name="progress"),
    path("jobs/<str:job_id>/complete", CompleteJob.as_view(), name="complete"),
    path("jobs/<str:job_id>/fail", FailJob.as_view(), name="fail"),
    path("jobs/<str:job_id>/release", ReleaseJob.as_view(), name="release"),
    path("jobs/<str:job_id>/lease/source", LeasedSource.as_view(), name="leased_source"),
    path("jobs/<str:job_id>/lease/output", LeasedOutput.as_view(), name="leased_output"),
    path("pools", Pools.as_view(), name="pools"),
    path("pools/<str:pool>/pause", PausePool.as_view(), name="pause_pool"),
    path("pools/<str:pool>/resume", ResumePool.as_view(), name="resume_pool"),
    path("schedules", Schedules.as_view(), name="schedules"),
    path("schedules/<str:schedule_id>", OneSchedule.as_view(), name="schedule"),
    path("schedules/<str:schedule_id>/pause", PauseSchedule.as_view(), name="pause_schedule"),
    path("schedules/<str:schedule_id>/resume", ResumeSchedule.as_view(), name="resume_schedule"),
]
