"""pg-boss, on Node."""

from bench.contenders.interpreters import node_script
from bench.contenders.peer import Mode, Peer

CONTENDER = Peer(
    name="pg-boss",
    includes="one call and one outcome a batch, sent without waiting for it; at least once",
    command=node_script("pgboss"),
    modes={
        "four": Mode(2_500, "4 workers, notifyWorker after each job"),
        "best": Mode(120_000, "2 workers, batchSize 5000, notifyWorker after each batch"),
    },
    unfinished="SELECT EXISTS (SELECT FROM pgboss.job WHERE name = 'noop' AND state < 'completed')",
    done="SELECT count(*) FROM pgboss.job WHERE name = 'noop' AND state = 'completed'",
    # Its poll is every half second at the fastest.
    pickups=25,
    pause=0.5,
)
