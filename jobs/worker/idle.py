"""Where the idle threads of a pool wait for work."""

import random
import threading


class Idle:
    """Lets one idle thread poll and the others sleep until there is work for them too.

    A thread that claims a job calls `wake_one`, so a burst wakes as many threads as it has jobs,
    one after the other, and a quiet pool costs one statement a poll interval.
    """

    def __init__(self, poll_seconds: float) -> None:
        self._poll_seconds = poll_seconds
        self._condition = threading.Condition()
        self._signals = 0
        self._waiting = 0
        self._polled = False
        self._closed = False

    def seen(self) -> int:
        """The number of signals so far. Read it before a claim, hand it to `wait` after."""
        return self._signals

    def wake_one(self) -> int:
        """There may be work for one more thread. Returns how many were waiting."""
        with self._condition:
            self._signals += 1
            self._condition.notify()
            return self._waiting

    def close(self) -> None:
        """Nobody waits any more: the pool is to end."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def wait(self, seen: int) -> None:
        """Return when it is time to claim again: a signal since `seen`, a poll, or the end."""
        with self._condition:
            if self._closed or self._signals != seen:
                return
            self._waiting += 1
            if self._polled:
                self._condition.wait()
            else:
                self._polled = True
                # Shorter by chance, never longer: workers that started together drift apart.
                self._condition.wait(self._poll_seconds * random.uniform(0.8, 1.0))  # noqa: S311
                self._polled = False
            self._waiting -= 1
