"""`make bench`: the engine beside other job queues, and all of them beside PostgreSQL's own speed.

    python -m bench                     # 3 rounds, all contenders in turn: up to an hour
    python -m bench --quick             # our own figures and the floor: under 90 seconds
    python -m bench --only Oban PgQueuer --rounds 5
    python -m bench --quick --json      # one JSON object on standard output

Progress goes to standard error. More about our own engine alone: `python -m bench.size` (large
tables, old snapshots), `bench.idle` (idle workers), `bench.pickup` (each wake-up signal) and
`bench.http_submit`.
"""

import argparse
import json
import signal
import statistics
import sys
from typing import Any

from bench.contenders import OWN, PEERS
from bench.contenders.peer import Failed, Peer, Skipped
from bench.databases import Databases
from bench.environment import NO_AUTOVACUUM, postgres
from bench.own_figures import own_figures
from bench.results import Results
from bench.rounds import Bench, Figures
from bench.table import table

ROUNDS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [peer.name for peer in (OWN, *PEERS)]
    parser.add_argument("--quick", action="store_true", help="one round of our own figures")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--rounds", type=int, help=f"default {ROUNDS}, with --quick 1")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    arguments = parser.parse_args()
    # So that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    only = arguments.only or ([OWN.name] if arguments.quick else names)
    rounds = arguments.rounds or (1 if arguments.quick else ROUNDS)
    peers = [peer for peer in (OWN, *PEERS) if peer.name in only]
    found = measure(peers, rounds, own_figures(quick=arguments.quick))
    if arguments.json:
        json.dump(found, sys.stdout)
        print()
    else:
        print(table(found["floor"], found["contenders"]))


def measure(peers: list[Peer], rounds: int, extra: tuple[Figures, ...]) -> dict[str, Any]:
    """All figures: medians over the rounds, ratios to the floors around each drain."""
    with postgres(**NO_AUTOVACUUM) as (folder, server):
        bench = Bench(Databases(server), folder)
        skipped: dict[str, str] = {}
        results = {peer.name: Results() for peer in peers}
        ready = []
        try:
            for peer in peers:
                try:
                    bench.prepare(peer)
                    ready.append(peer)
                except (Skipped, Failed) as error:
                    bench.say(f"{peer.name}: SKIPPED, {error}")
                    skipped[peer.name] = str(error)
            for number in range(rounds):
                bench.say(f"round {number + 1} of {rounds}")
                for peer in ready:
                    bench.turn(peer, results[peer.name], extra if peer is OWN else ())
        finally:
            for peer in ready:
                peer.close()
    return {
        "floor": round(statistics.median(bench.floors), 1),
        "contenders": {
            peer.name: {"skipped": skipped[peer.name]}
            if peer.name in skipped
            else results[peer.name].summary(peer)
            for peer in peers
        },
    }


if __name__ == "__main__":
    main()
