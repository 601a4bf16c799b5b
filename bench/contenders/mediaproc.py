"""This project's own engine."""

from bench.contenders.interpreters import own_script
from bench.contenders.peer import Mode, Peer
from bench.environment import SETTINGS


class Mediaproc(Peer):
    """Its settings come from the environment."""

    def urls(self, url: str) -> dict[str, str]:
        """Its own variable too."""
        return {"BENCH_URL": url, "DATABASE_URL": url}


CONTENDER = Mediaproc(
    name="mediaproc",
    includes="fenced completion and a metrics row a job, committed in chunks; at least once",
    command=own_script("mediaproc_jobs"),
    modes={
        # Ordinary settings are its best: the engine sizes the chunks.
        "best": Mode(300_000, "4 threads, ordinary settings"),
        "single": Mode(30_000, "4 threads, one job a claim: WORKER_LARGEST_CHUNK=1"),
        # For drains that are compared with each other.
        "pair": Mode(200_000, "4 threads, ordinary settings"),
    },
    drains=("best", "single"),
    unfinished="SELECT EXISTS (SELECT FROM jobs_job WHERE status = 'QUEUED')"
    " OR EXISTS (SELECT FROM jobs_job WHERE status = 'IN_PROGRESS')",
    done="SELECT count(*) FROM jobs_job JOIN jobs_jobmetrics ON job_id = jobs_job.id"
    " WHERE status = 'COMPLETED'",
    environment={**SETTINGS, "WAKEUP_NOTIFY": "True", "REDIS_URL": ""},
)
