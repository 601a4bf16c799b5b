"""Make a call to the service again while it is away, busy, or waits for its scanner."""

import random
from collections.abc import Callable

import httpx
import structlog

FIRST_DELAY_SECONDS = 0.5
# So that work goes on within ten seconds of an outage, as it does with local workers.
LONGEST_DELAY_SECONDS = 5.0
# What says that the service is away or busy, and nothing of the request.
AWAY = {408, 425, 429, 500, 502, 503, 504}
# A scanner that starts is waited for, as long as the service says; one that stays away is not.
MOST_SCANS = 10
LONGEST_RETRY_AFTER_SECONDS = 60.0

log = structlog.get_logger(__name__)


class GaveUp(Exception):
    """The worker must end while the service is away."""


class Stopped(Exception):
    """The attempt was told to stop meanwhile."""


def patiently(
    call: Callable[[], httpx.Response],
    pause: Callable[[float], bool],
    stopped: Callable[[], bool] = lambda: False,
) -> httpx.Response:
    """The first answer that says something of the request.

    pause: waits so many seconds; True when there is no more waiting. Raises GaveUp then, and
    Stopped where the attempt is to stop.
    """
    attempt = unscanned = 0
    while True:
        least = 0.0
        try:
            answer = call()
            if answer.status_code not in AWAY and not _is_busy(answer):
                return answer
            why = str(answer.status_code)
            if is_unscanned(problem_of(answer)[0]):
                unscanned += 1
                least = _retry_after(answer)
            if unscanned > MOST_SCANS:
                return answer
        except httpx.TransportError as error:
            why = f"{type(error).__name__}: {error}"
        if not attempt:
            log.warning("server.away", why=why)
        gives_up = pause(max(least, backoff(attempt)))
        if stopped():
            raise Stopped
        if gives_up:
            raise GaveUp
        attempt += 1


def backoff(attempt: int) -> float:
    """A random time up to twice as long as that of the attempt before."""
    longest = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(attempt, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 - nothing secret


def is_unscanned(code: str) -> bool:
    """Whether the service's scanner does not say what is in a file."""
    return code == "scan_unavailable"


def problem_of(answer: httpx.Response) -> tuple[str, str]:
    """The code and the detail of an answer that is an error."""
    try:
        problem = answer.json()
        return str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError, httpx.ResponseNotRead):
        return "", answer.reason_phrase


def _is_busy(answer: httpx.Response) -> bool:
    """Whether the same call is being answered, as to one who lost patience with it."""
    if answer.status_code != httpx.codes.CONFLICT:
        return False
    return problem_of(answer)[0] == "busy"


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), LONGEST_RETRY_AFTER_SECONDS) if text.isdecimal() else 0.0
