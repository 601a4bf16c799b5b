"""The Redis side of the wake-up signal. The `redis` package is optional: without it, no signal."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from django.conf import settings

from jobs.secret_files import current

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT_SECONDS = 0.5


def channel() -> str:
    """The pub/sub channel of this deployment: Redis channels are shared by all its databases."""
    return f"mediaproc:{quote(str(settings.DATABASES['default']['NAME']))}:jobs_queued"


def connect() -> "Redis":
    """A client of REDIS_URL as it is now. Its every call ends within a second, also when the server
    hangs.

    Raises ImportError when the redis package is not installed, ValueError for a malformed address,
    ImproperlyConfigured where its file cannot be read.
    """
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis.from_url(
        current("REDIS_URL"),
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
