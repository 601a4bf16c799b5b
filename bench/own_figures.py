"""Figures that only our own engine has: each is measured once a round, after the others.

To add one, put a function with the signature of `bench.rounds.Figures` here; `measure.drain` and
the modes in bench/contenders/mediaproc.py are there for it.
"""

from bench.history import History
from bench.rounds import Figures


def own_figures() -> tuple[Figures, ...]:
    """For one run."""
    return (History(),)
