"""A client of the API for Python programs; see docs/client.md. It needs httpx and rich only."""

from mediaproc.client.client import Client
from mediaproc.client.errors import (
    ApiError,
    BadRequest,
    Conflict,
    FieldError,
    Forbidden,
    JobNotCompleted,
    MediaprocError,
    NotAuthenticated,
    NotFound,
    NothingSubmitted,
    ServerError,
    TooManyRequests,
    Unreachable,
    WaitTimedOut,
)
from mediaproc.client.shapes import Attempt, Batch, Event, Job, JobType, Schedule

__all__ = [
    "ApiError",
    "Attempt",
    "BadRequest",
    "Batch",
    "Client",
    "Conflict",
    "Event",
    "FieldError",
    "Forbidden",
    "Job",
    "JobNotCompleted",
    "JobType",
    "MediaprocError",
    "NotAuthenticated",
    "NotFound",
    "NothingSubmitted",
    "Schedule",
    "ServerError",
    "TooManyRequests",
    "Unreachable",
    "WaitTimedOut",
]
