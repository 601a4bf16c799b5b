"""awa, a native engine with Python jobs."""

from bench.contenders.interpreters import python_script
from bench.contenders.peer import Mode, Peer

CONTENDER = Peer(
    name="awa",
    includes="completion receipts committed in batches; at least once",
    command=python_script("awa_jobs"),
    modes={
        "four": Mode(2_000, "4 workers"),
        "best": Mode(20_000, "256 workers"),
    },
    unfinished="SELECT true",
    done="SELECT NULL",
)
