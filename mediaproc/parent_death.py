"""Tie a process to its parent's life, so that kill -9 of the parent leaves nothing running."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
# Loaded here because loading a library between fork and exec can deadlock.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(number: signal.Signals, parent: int | None = None) -> Callable[[], None]:
    """A function for a child to call: the kernel sends it `number` when its parent dies.

    `parent` is the process id that the child expects to have, by default that of the caller here.
    The tie is to the thread that forked, and survives exec but not setuid (prctl(2)). Does
    nothing where the kernel is not Linux.
    """
    parent = os.getpid() if parent is None else parent

    def tie() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)

    return tie
