"""procrastinate."""

from bench.contenders.interpreters import python_script
from bench.contenders.peer import Mode, Peer

CONTENDER = Peer(
    name="procrastinate",
    includes="completion and event rows committed per job; a lost job waits for your own retry",
    command=python_script("procrastinate_jobs"),
    modes={
        "four": Mode(2_000, "concurrency 4"),
        "best": Mode(3_000, "concurrency 10"),
    },
    unfinished="SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))",
    done="SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'",
)
