"""graphile-worker, on Node."""

from bench.contenders.interpreters import node_script
from bench.contenders.peer import Mode, Peer

CONTENDER = Peer(
    name="graphile-worker",
    includes="the job's row deleted, per job ('best': in batches); no trace kept; at least once",
    command=node_script("graphile"),
    modes={
        "four": Mode(12_000, "concurrentJobs 4"),
        "best": Mode(120_000, "concurrentJobs 24, localQueue 1000, batched completion"),
    },
    unfinished="SELECT EXISTS (SELECT FROM graphile_worker._private_jobs)",
    # A job that failed would still be there.
    done="SELECT NULL",
)
