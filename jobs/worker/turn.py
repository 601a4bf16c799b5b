"""When it is this process's turn to look after all jobs, if nobody else did."""

import random
from collections.abc import Callable

# In parts of the scan interval. The longest leaves time for what was found to be started.
SHORTEST = 0.7
LONGEST = 0.95
# The mean of a single process's extra wait. Of many the first comes after about as much, and
# hardly another before it hears of that.
SPREAD = 0.04
# So many intervals, times the processes, others are believed: whoever may connect to the database
# can say that he has looked, and a worker that looks may be one that mends nothing.
BELIEVED = 3.0


class Turn:
    """Comes when for a while nobody has looked: neither this process nor one that it heard of.

    The number of processes says how long to wait for another to go first, and no more than that.
    One that is too high, because processes have just died, makes nobody wait longer than LONGEST.
    """

    def __init__(self, seconds: float, processes: Callable[[], int], now: float) -> None:
        self._seconds = seconds
        self._processes = processes
        self.due_at = 0.0
        self.looked(now)

    def looked(self, now: float) -> None:
        """This process has looked."""
        self._looked_at = now
        self._begin(now)

    def heard(self, now: float) -> None:
        """Somebody says that he has looked: begin anew, unless it is too long that this process
        has not."""
        if now - self._looked_at < self.believed_seconds():
            self._begin(now)

    def believed_seconds(self) -> float:
        """For how long what others tell is enough."""
        return BELIEVED * self._seconds * max(1, self._processes())

    def _begin(self, now: float) -> None:
        extra = random.expovariate(1.0) * SPREAD * self._processes()
        self.due_at = now + self._seconds * min(LONGEST, SHORTEST + extra)
