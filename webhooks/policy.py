"""What is told, how often it is tried, and when one stops trying: data."""

from datetime import timedelta

EVENTS = (
    "job.queued",
    "job.started",
    "job.progress",
    "job.completed",
    "job.failed",
    "job.cancelled",
)
TEST_EVENT = "webhook.test"

# Seconds to wait after each failed attempt: Standard Webhooks' own, cut so that they make a day.
SCHEDULE = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 23_100.0)
MAX_ATTEMPTS = len(SCHEDULE) + 1
# So much more by chance, as a part of it: receivers that come back are not met by all at once.
JITTER = 0.2
# Answers with which a server says that it cannot now; then its Retry-After counts, up to so much.
BUSY = frozenset({429, 502, 503, 504})
LONGEST_RETRY_AFTER = 36_000.0
GONE = 410

# An endpoint that gives up on a delivery and has answered nothing well for so long is disabled.
DISABLE_AFTER = timedelta(days=5)
# Both secrets sign so long after one was replaced.
ROTATION = timedelta(hours=24)
KEEP_DELIVERIES = timedelta(days=30)
MOST_REPLAYED = 10_000
