"""PgQueuer."""

from bench.contenders.interpreters import python_script
from bench.contenders.peer import Mode, Peer

CONTENDER = Peer(
    name="PgQueuer",
    includes="job deleted and log row, committed a batch at a time; at least once",
    command=python_script("pgqueuer_jobs"),
    modes={
        "four": Mode(4_000, "batch_size 2, max_concurrent_tasks 4"),
        "best": Mode(60_000, "batch_size 500"),
    },
    unfinished="SELECT EXISTS (SELECT FROM pgqueuer)",
    done="SELECT count(*) FROM pgqueuer_log WHERE status = 'successful'",
)
