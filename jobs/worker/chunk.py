"""How many jobs a thread claims at a time: one, unless jobs are shorter than a round trip."""

WORK_SECONDS = 0.004  # of one chunk, so that no job waits noticeably behind another
GROWTH = 4
MEMORY = 0.3  # the weight of what was known before


class Chunk:
    """Follows how long the jobs of one thread really last."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self.size = 1
        self._job_seconds = WORK_SECONDS

    @property
    def short(self) -> bool:
        """Whether the jobs are too short to be told of one by one."""
        return self._job_seconds < WORK_SECONDS

    def learn(self, jobs: int, seconds: float) -> None:
        """The last `jobs` took `seconds` altogether. Grows step by step, shrinks at once."""
        latest = seconds / jobs
        remembered = MEMORY * self._job_seconds + (1 - MEMORY) * latest
        self._job_seconds = max(latest, remembered)
        fitting = int(WORK_SECONDS / self._job_seconds) if self._job_seconds else self._largest
        self.size = max(1, min(fitting, self.size * GROWTH, self._largest))
