"""Priorities are numbers 0-10; names and pools are ranges of those numbers.

`POOLS` in the settings says which pool serves which numbers with how many threads, for example
`high=7-10:4,low=0-6:2`.
"""

import re
from dataclasses import dataclass

LOWEST = 0
HIGHEST = 10
DEFAULT = 5

BY_NAME = {"high": 10, "default": DEFAULT, "low": 1}

_POOL = re.compile(r"(?P<name>[a-z][a-z0-9_-]{0,30})=(?P<low>\d+)-(?P<high>\d+):(?P<threads>\d+)")
MAX_THREADS = 64


@dataclass(frozen=True, slots=True)
class Pool:
    """A named range of priorities and how many threads a worker process gives it."""

    name: str
    lowest: int
    highest: int
    threads: int


def name_of(priority: int) -> str:
    """The name a client sees: 7-10 is high, 4-6 default, 0-3 low."""
    if priority >= 7:  # noqa: PLR2004 - the documented bounds stand here and nowhere else
        return "high"
    return "default" if priority >= 4 else "low"  # noqa: PLR2004


def parse_pools(text: str) -> dict[str, Pool]:
    """Read `name=lowest-highest:threads,...`.

    Raises ValueError with a message for people when an entry is malformed, a name is given twice,
    or a number is served by no pool.
    """
    pools: dict[str, Pool] = {}
    for entry in (part.strip() for part in text.split(",") if part.strip()):
        pool = _parse_pool(entry)
        if pool.name in pools:
            raise ValueError(f"POOLS names {pool.name!r} twice")
        pools[pool.name] = pool
    served = {n for pool in pools.values() for n in range(pool.lowest, pool.highest + 1)}
    unserved = sorted(set(range(LOWEST, HIGHEST + 1)) - served)
    if unserved:
        raise ValueError(
            f"POOLS leaves priorities {unserved} without a pool: their jobs would wait for ever"
        )
    return pools


def _parse_pool(entry: str) -> Pool:
    match = _POOL.fullmatch(entry)
    if match is None:
        raise ValueError(
            f"POOLS entry {entry!r} is not name=lowest-highest:threads, for example high=7-10:4"
        )
    pool = Pool(match["name"], int(match["low"]), int(match["high"]), int(match["threads"]))
    if not LOWEST <= pool.lowest <= pool.highest <= HIGHEST:
        raise ValueError(f"POOLS entry {entry!r}: priorities run from {LOWEST} to {HIGHEST}")
    if not 1 <= pool.threads <= MAX_THREADS:
        raise ValueError(f"POOLS entry {entry!r}: threads run from 1 to {MAX_THREADS}")
    return pool
