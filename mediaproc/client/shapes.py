"""What the service answers, as frozen dataclasses. Members that are not known here are ignored, so
that an older client goes on with a newer service; all that came is in `Job.raw`."""

from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any, Self, get_type_hints

FINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


@dataclass(frozen=True)
class Shape:
    """Made of a JSON object: moments are parsed, a member that is left out has its default."""

    @classmethod
    def read(cls, document: dict[str, Any]) -> Self:
        """Raises KeyError for a member that has to be there and is not."""
        hints = _hints(cls)  # type: ignore[arg-type]  # mypy does not see that a Self is hashable
        found = {}
        for one in fields(cls):
            if one.name in document:
                found[one.name] = _value(hints[one.name], document[one.name])
            elif one.default is MISSING and one.default_factory is MISSING:
                raise KeyError(one.name)
        return cls(**found)


@cache
def _hints(cls: type[Shape]) -> dict[str, Any]:
    return get_type_hints(cls)


def _value(hint: Any, value: Any) -> Any:
    if isinstance(value, str) and hint in (datetime, datetime | None):
        return datetime.fromisoformat(value)
    return value


@dataclass(frozen=True)
class Job(Shape):
    """A job as it was when it was asked for."""

    id: str
    job_type: str
    status: str
    priority: int
    source_file: str
    target_format: str
    created_at: datetime
    name: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    batch: str | None = None
    metadata: dict[str, Any] | None = None
    callback_url: str | None = None
    progress: float | None = None
    progress_message: str = ""
    seconds_left: float | None = None
    attempt: int = 0
    max_retries: int = 0
    cancel_requested: bool = False
    result: Any = None
    error_code: str | None = None
    error_message: str | None = None
    scheduled_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    estimated_duration: float | None = None
    duration: float | None = None
    replay_of: str | None = None
    metrics: dict[str, Any] | None = None
    links: dict[str, str] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def read(cls, document: dict[str, Any]) -> Self:
        """With the document itself as `raw`."""
        return super().read({**document, "raw": document})

    @property
    def is_final(self) -> bool:
        """COMPLETED, FAILED or CANCELLED."""
        return self.status in FINAL


@dataclass(frozen=True)
class Event(Shape):
    """Something that happened to a job."""

    at: datetime
    kind: str
    actor: str = ""
    detail: dict[str, Any] | None = None


@dataclass(frozen=True)
class Attempt(Shape):
    """One attempt at a job."""

    number: int
    outcome: str
    worker: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True)
class Batch(Shape):
    """What became of many jobs. batch: its id, for `list(batch=...)`; empty when there is none.
    errors: row, line, field, code and detail of what is wrong, of the first hundred."""

    batch: str
    accepted: int
    rejected: int
    total: int
    errors: list[dict[str, Any]] = field(default_factory=list)
    errors_truncated: bool = False


@dataclass(frozen=True)
class JobType(Shape):
    """What the service can do; `parameters` is a JSON schema."""

    job_type: str
    title: str = ""
    description: str = ""
    source_file: str = ""
    target_formats: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Schedule(Shape):
    """Jobs that are submitted again and again."""

    id: str
    name: str
    cron: str
    time_zone: str
    paused: bool
    job_type: str
    source_file: str = ""
    target_format: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    missed_runs: str = ""
    error: str | None = None
    next_fires: list[str] = field(default_factory=list)
