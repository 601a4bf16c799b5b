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
    ServerError,
    TooManyRequests,
    Unreachable,
    WaitTimedOut,
)
from mediaproc.client.shapes import Attempt, Event, Job, JobType, Schedule

__all__ = [
    "ApiError",
    "Attempt",
    "BadRequest",
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
    "Schedule",
    "ServerError",
    "TooManyRequests",
    "Unreachable",
    "WaitTimedOut",
]
