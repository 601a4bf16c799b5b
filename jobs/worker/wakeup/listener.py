"""What the listeners share: a thread that keeps one subscription alive."""

import random
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator

import structlog

FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 5.0
PING_EVERY_SECONDS = 5.0  # a server that hangs is noticed within twice this time
CHECK_STOP_SECONDS = 0.5
EVERYTHING = ""  # payload: jobs of any priority may have come

log = structlog.get_logger(__name__)


class Unanswered(Exception):
    """The server did not bring our ping back."""


class Listener(threading.Thread):
    """Calls `wake(payload)` for each signal, and once after every (re)connect.

    `state` is `connecting`, `up` or `down`. An outage is logged once, and so is its end.
    """

    signal_name: str

    def __init__(self, wake: Callable[[str], None]) -> None:
        super().__init__(name=f"wakeup-{self.signal_name}", daemon=True)
        self.state = "connecting"
        self._wake = wake
        self._stopping = threading.Event()

    @abstractmethod
    def session(self) -> Iterator[str | None]:
        """Subscribe; yield None at once and at least every CHECK_STOP_SECONDS, and each payload.

        Raises whatever the client raises when the connection breaks, Unanswered when it hangs.
        """

    def stop(self) -> None:
        """End within a second."""
        self._stopping.set()

    def run(self) -> None:
        """Until `stop`."""
        delay = FIRST_DELAY_SECONDS
        while not self._stopping.is_set():
            try:
                for payload in self.session():
                    if self.state != "up":
                        self._up()
                        delay = FIRST_DELAY_SECONDS
                    if payload is not None:
                        self._wake(payload)
                    if self._stopping.is_set():
                        return
            except Exception as error:  # any failure at all: polling serves meanwhile
                self._down(error)
            self._stopping.wait(delay * random.uniform(0.5, 1.0))  # noqa: S311
            delay = min(delay * 2, LONGEST_DELAY_SECONDS)

    def _up(self) -> None:
        if self.state == "down":
            log.info("wakeup.recovered", signal=self.signal_name)
        self.state = "up"
        self._wake(EVERYTHING)

    def _down(self, error: Exception) -> None:
        if self.state != "down":
            log.warning(
                "wakeup.lost",
                signal=self.signal_name,
                error=f"{type(error).__name__}: {str(error).strip()}",
                effect="jobs are found by polling until it is back",
            )
        self.state = "down"


class Pulse:
    """When to ping, and whether the last ping came back. By chance not all at one time: what one
    listener sends, others that share the channel hear too."""

    def __init__(self, now: float) -> None:
        self._ping_after = PING_EVERY_SECONDS * random.uniform(0.7, 1.0)  # noqa: S311
        self._heard_at = now
        self._sent_at: float | None = None

    def heard(self, now: float) -> None:
        """Something came from the server."""
        self._heard_at = now
        self._sent_at = None

    def due(self, now: float) -> bool:
        """Whether to send a ping now. Raises Unanswered when one has been out for too long."""
        if self._sent_at is not None:
            if now - self._sent_at > PING_EVERY_SECONDS:
                raise Unanswered(f"no answer for {now - self._sent_at:.0f} s")
            return False
        if now - self._heard_at < self._ping_after:
            return False
        self._sent_at = now
        return True
