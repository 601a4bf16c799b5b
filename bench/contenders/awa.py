"""awa, a native engine with Python jobs."""

from bench.contenders.interpreters import python_script
from bench.contenders.peer import Mode, Peer

CONTENDER = Peer(
    name="awa",
    includes="completion receipts committed in batches; at least once",
    command=python_script("awa_jobs"),
    modes={
        "four": Mode(1_200, "4 workers"),
        "best": Mode(20_000, "256 workers"),
    },
    unfinished="SELECT EXISTS (SELECT FROM awa.jobs WHERE state IN ('available', 'running'))",
    # It rolls completed jobs up after a second or two.
    done="SELECT (SELECT count(*) FROM awa.jobs WHERE state = 'completed')"
    " + (SELECT coalesce(sum(pruned_completed_count), 0) FROM awa.queue_terminal_rollups)",
)
