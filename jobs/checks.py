"""System checks: bad configuration is named before anything starts."""

from collections.abc import Sequence
from email.utils import parseaddr
from typing import Any, get_args

from django.conf import settings
from django.core import checks
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from jobs.media.fence import gaps
from jobs.media.limits import Limits, Sandbox
from jobs.priorities import HIGHEST, LOWEST, parse_pools
from jobs.processors.registry import BadRegistry, processors
from jobs.processors.simulate import seconds_of
from jobs.queue.retention import parse_retention

TAG = "jobs"
POSITIVE = (
    "JOB_LEASE_SECONDS",
    "JOB_RETRY_SCAN_SECONDS",
    "JOB_MAX_LOST_LEASES",
    "JOB_SOFT_LIMIT_SECONDS",
    "JOB_HARD_LIMIT_SECONDS",
    "STATS_RETENTION_DAYS",
    "WORKER_POLL_SECONDS",
    "WORKER_LARGEST_CHUNK",
    "MEDIA_MAX_DURATION_SECONDS",
    "MEDIA_MAX_PIXELS",
    "MEDIA_MAX_FPS",
    "MEDIA_MAX_STREAMS",
    "MEDIA_MAX_OUTPUT_MB",
    "MEDIA_MEMORY_MB",
    "MEDIA_STALL_SECONDS",
    "EMAIL_TIMEOUT",
    "SCANNER_TIMEOUT",
    "OUTPUT_LINK_SECONDS",
)
NOT_NEGATIVE = (
    "REQUESTS_PER_MIN_LIMIT",
    "JOBS_PER_MIN_LIMIT",
    "CONCURRENT_JOBS_LIMIT",
    "WEBHOOK_CONCURRENT_LIMIT",
    "JOB_PENDING_TIMEOUT_SECONDS",
    "JOB_RETRY_DELAY_SECONDS",
    "JOB_AGEING_SECONDS",
    "WORKER_GRACE_SECONDS",
    "LEASE_WAITERS",
)


@checks.register(TAG)
def check_pools(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """POOLS can be read and serves every priority."""
    try:
        parse_pools(settings.POOLS)
    except ValueError as error:
        return [checks.Error(str(error), id="jobs.E001")]
    return []


@checks.register(TAG)
def check_processors(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """The job types of PROCESSORS and of packages can be imported, and each is there once."""
    try:
        processors()
    except BadRegistry as error:
        return [checks.Error(problem, id="jobs.E002") for problem in error.problems]
    return []


@checks.register(TAG)
def check_numbers(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """Times and counts are in their range."""
    wrong = [
        *(f"{name} must be above 0" for name in POSITIVE if getattr(settings, name) <= 0),
        *(f"{name} must not be negative" for name in NOT_NEGATIVE if getattr(settings, name) < 0),
    ]
    return [checks.Error(text, id="jobs.E003") for text in wrong]


@checks.register(TAG)
def check_time_limits(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """An attempt is told to stop before its job is taken away."""
    if settings.JOB_SOFT_LIMIT_SECONDS <= settings.JOB_HARD_LIMIT_SECONDS:
        return []
    text = "JOB_SOFT_LIMIT_SECONDS must not be above JOB_HARD_LIMIT_SECONDS"
    return [checks.Error(text, id="jobs.E008")]


@checks.register(TAG)
def check_retention(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """JOB_RETENTION can be read."""
    try:
        parse_retention(settings.JOB_RETENTION)
    except ValueError as error:
        return [checks.Error(str(error), id="jobs.E010")]
    return []


@checks.register(TAG)
def check_simulated_seconds(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """The durations of simulated jobs can be read."""
    try:
        for priority in (LOWEST, HIGHEST):
            seconds_of(priority)
    except ValueError as error:
        return [checks.Error(str(error), id="jobs.E005")]
    return []


@checks.register(TAG)
def check_sandbox(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """MEDIA_SANDBOX is one of its values."""
    known = get_args(Sandbox)
    if settings.MEDIA_SANDBOX in known:
        return []
    text = f"MEDIA_SANDBOX is {settings.MEDIA_SANDBOX!r}; it must be one of {', '.join(known)}"
    return [checks.Error(text, id="jobs.E004")]


@checks.register(TAG)
def check_fence(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """This machine can fence ffmpeg in."""
    return [
        checks.Warning(
            f"ffmpeg runs here without {gap}.",
            hint="Install util-linux, which brings prlimit and setpriv.",
            id="jobs.W003",
        )
        for gap in gaps(Limits())
    ]


@checks.register(TAG)
def check_pooler(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """Behind PgBouncer a LISTEN needs a direct address."""
    if settings.PGBOUNCER and settings.WAKEUP_NOTIFY and not settings.LISTEN_DATABASE_URL:
        return [
            checks.Warning(
                "PGBOUNCER is on and LISTEN_DATABASE_URL is not set: workers do not listen to"
                " PostgreSQL and find jobs by polling (and by Redis, where REDIS_URL is set).",
                hint="Set LISTEN_DATABASE_URL to PostgreSQL's own address, or WAKEUP_NOTIFY=False.",
                id="jobs.W001",
            )
        ]
    return []


@checks.register(TAG)
def check_redis_package(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """REDIS_URL needs the redis package."""
    if settings.REDIS_URL:
        try:
            import redis  # noqa: F401 - whether it is there
        except ImportError:
            return [
                checks.Warning(
                    "REDIS_URL is set but the redis package is not installed:"
                    " workers are not woken over Redis.",
                    hint="pip install redis",
                    id="jobs.W002",
                )
            ]
    return []


@checks.register(TAG)
def check_mail(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """The mail server's encryption is one thing, and the sender an address."""
    wrong = []
    if settings.EMAIL_USE_TLS and settings.EMAIL_USE_SSL:
        wrong.append("EMAIL_USE_TLS and EMAIL_USE_SSL are both on; servers speak one of them")
    try:
        validate_email(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
    except ValidationError:
        wrong.append(
            f"DEFAULT_FROM_EMAIL is {settings.DEFAULT_FROM_EMAIL!r}; it must be an address:"
            " name@example.org or Name <name@example.org>"
        )
    return [checks.Error(text, id="jobs.E006") for text in wrong]
