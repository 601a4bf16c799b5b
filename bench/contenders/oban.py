"""Oban for Python."""

from bench.contenders.interpreters import needs_python, python_script
from bench.contenders.peer import Mode, Peer


def _command() -> list[str]:
    needs_python(3, 12)
    return python_script("oban_jobs")()


CONTENDER = Peer(
    name="Oban",
    includes="completions committed as they come, up to the limit together; at least once",
    command=_command,
    modes={
        "four": Mode(4_000, "limit 4"),
        "best": Mode(16_000, "limit 200"),
    },
    unfinished="SELECT EXISTS (SELECT FROM oban_jobs WHERE state IN ('available', 'executing'))",
    done="SELECT count(*) FROM oban_jobs WHERE state = 'completed'",
)
