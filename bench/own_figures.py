"""Figures that only our own engine has: each is measured once a round, after the others.

To add one, put a function with the signature of `bench.rounds.Figures` here; `measure.drain` and
the modes in bench/contenders/mediaproc.py are there for it.
"""

from bench.history import History
from bench.long_queue import LongQueue
from bench.processes import processes
from bench.rounds import Figures

PAIRS = 3


def own_figures(*, quick: bool) -> tuple[Figures, ...]:
    """For one run. `quick`: only what fits into a minute and a half."""
    if quick:
        return (History(1),)
    return (History(PAIRS), processes, LongQueue())
