"""One child process in its own session: bounded pipes, its figures, and no survivor in any path."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO, Self

from jobs.media.measure import Meter, Usage, innermost
from jobs.media.tail import Tail

_CHUNK = 65536
_TICK_SECONDS = 0.05
# A child that is new is looked at ten times as often: it may have ended before the second tick.
_NEW_TICKS = 20
# For what the kernel still has to do once every process of the group was killed.
_SETTLE_SECONDS = 1.0
# Nothing of the service's own environment, which holds its secrets. Each malloc arena takes 64 MiB
# of address space, and there would be eight a core.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "MALLOC_ARENA_MAX": "4"}


class Child:
    """Start a program and look after it; leaving the `with` block ends it and all it started.

    Use it in the thread that made it: the kernel ends the child together with that thread (see
    `fence`). Call `pump` often, or the child blocks on a full pipe.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        inherit: Sequence[int],
        terminate_seconds: float,
        stderr: Tail,
        on_stdout: Callable[[bytes], None],
    ) -> None:
        self._terminate_seconds = terminate_seconds
        self._usage: Usage | None = None
        self._group_gone = False
        self._ticks = 0
        self._selector = selectors.DefaultSelector()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd="/",
            env=_ENVIRONMENT,
            pass_fds=inherit,
            start_new_session=True,
        )
        self._meter = Meter(self._process.pid)
        self._watch(self._process.stdout, on_stdout)
        self._watch(self._process.stderr, stderr.feed)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._terminate()
        finally:
            self._kill()
            self._close()

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None before the end."""
        return self._process.returncode

    @property
    def usage(self) -> Usage:
        """What the child used. Raises RuntimeError before the end."""
        if self._usage is None:
            raise RuntimeError("the child has not ended")
        return self._usage

    def pump(self) -> None:
        """Wait up to 50 ms (at first up to 5 ms) for output, hand it on, and take a sample."""
        self._meter.sample()
        self._ticks += 1
        if self._selector.get_map():
            self._read(_TICK_SECONDS if self._ticks > _NEW_TICKS else _TICK_SECONDS / 10)
        else:
            time.sleep(_TICK_SECONDS / 10)  # it closed its pipes, so it ends at any moment

    def ended(self) -> bool:
        """Whether the child has ended; if so it is reaped, and all of its output is handed on."""
        if self.returncode is None:
            self._reap(os.WNOHANG)
        return self.returncode is not None

    def _reap(self, options: int) -> None:
        pid, status, resources = os.wait4(self._process.pid, options)
        if pid == 0:
            return
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._usage = self._meter.result(resources.ru_utime + resources.ru_stime)
        # Whatever it started may still hold the pipes.
        self._group_gone = not self._signal(signal.SIGKILL)
        deadline = time.monotonic() + _SETTLE_SECONDS
        while self._selector.get_map() and time.monotonic() < deadline:
            self._read(_TICK_SECONDS)

    def _terminate(self) -> None:
        """Ask it to end, and wait for that as long as it is allowed."""
        if self.ended():
            return
        self._discard()
        self._signal_inside(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a stopped process takes no other signal
        if not self._ends_within(self._terminate_seconds):
            self._signal_inside(signal.SIGKILL)
            self._ends_within(_SETTLE_SECONDS)

    def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self.ended() and time.monotonic() < deadline:
            self.pump()
        return self.ended()

    def _kill(self) -> None:
        """Leave no process of the group: the children of a killed sandbox end a moment later."""
        if self._group_gone:
            return
        self._signal(signal.SIGKILL)
        if self.returncode is None:
            self._discard()
            self._reap(0)
        deadline = time.monotonic() + _SETTLE_SECONDS
        while self._signal(0) and time.monotonic() < deadline:
            time.sleep(_TICK_SECONDS / 10)

    def _signal_inside(self, number: int) -> None:
        """Signal what the sandbox holds, which then ends by itself and leaves nobody unwaited for.

        Without a sandbox it is the whole group.
        """
        inside = innermost(self._process.pid)
        if inside == self._process.pid:
            self._signal(number)
            return
        with suppress(ProcessLookupError):
            os.kill(inside, number)

    def _signal(self, number: int) -> bool:
        """Signal the whole group, which keeps its number as long as one process is in it."""
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def _watch(self, pipe: IO[bytes] | None, handler: Callable[[bytes], None]) -> None:
        assert pipe is not None  # noqa: S101 - it was asked for with PIPE
        os.set_blocking(pipe.fileno(), False)
        self._selector.register(pipe, selectors.EVENT_READ, handler)

    def _discard(self) -> None:
        """From now on the output only has to be read, not understood."""
        for key in list(self._selector.get_map().values()):
            self._selector.modify(key.fileobj, selectors.EVENT_READ, len)

    def _read(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            try:
                data = os.read(key.fd, _CHUNK)
            except BlockingIOError:
                continue
            if data:
                key.data(data)
            else:
                self._selector.unregister(key.fileobj)

    def _close(self) -> None:
        self._selector.close()
        for pipe in (self._process.stdout, self._process.stderr):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
