"""What is done to the others at a moment of the plan. What a worker does to itself: `points.py`."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil
import psycopg
from redis.exceptions import RedisError

from tests.chaos.clock import now
from tests.chaos.crew import Crew
from tests.chaos.driver import Driver
from tests.chaos.insist import TROUBLES, attempt, insist, note
from tests.chaos.plan import Fault, Plan
from tests.chaos.stage import Stage
from tests.redis_server import RedisServer

_STORM_PAUSE_SECONDS = 0.1
_ARMED_SECONDS = 2.0
_RETURN_SECONDS = 60.0
_TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE 'mediaproc%' AND random() < 0.7
"""


class Stuck(Exception):
    """A fault that cannot be ended: everybody stays hurt, and nothing can be judged."""


class Faults:
    """Fires the timed faults of a plan, each in a thread of its own."""

    def __init__(self, plan: Plan, stage: Stage, crew: Crew, driver: Driver) -> None:
        self._plan = plan
        self._stage = stage
        self._crew = crew
        self._driver = driver
        self._over = threading.Event()
        self._database = threading.Lock()
        self._redis = threading.Lock()
        self._web = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._broken: list[Exception] = []

    def run(self) -> None:
        """The load goes on for the plan's time; then everything that lasts is ended."""
        began = now()
        for fault in sorted((one for one in self._plan.faults if not one.point), key=_at):
            time.sleep(max(0.0, began + fault.at - now()))
            thread = threading.Thread(target=self._fire, args=[fault], name=fault.name)
            thread.start()
            self._threads.append(thread)
        time.sleep(max(0.0, began + self._plan.seconds - now()))
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._broken:
            raise self._broken[0]

    def _fire(self, fault: Fault) -> None:
        try:
            getattr(self, f"_{fault.kind}")(fault)
        except TROUBLES as error:
            note(fault.name, error, self._stage.ledger)
        except Exception as error:  # of any other kind: the run is worth nothing then
            self._broken.append(error)

    def _last(self, fault: Fault, begin: Callable[[], object], end: Callable[[], object]) -> None:
        """Something that lasts; both ends are written down, outside of what they enclose.

        What cannot begin is over at once. Raises Stuck when it does not end.
        """
        values: dict[str, Any] = {"kind": fault.kind, "slot": fault.slot, "name": fault.name}
        self._stage.ledger.write("fault", wait=True, **values, seconds=fault.seconds)
        if attempt(begin, fault.name, self._stage.ledger):
            self._over.wait(fault.seconds)
        try:
            insist(end, f"the end of {fault.name}", self._stage.ledger, seconds=_RETURN_SECONDS)
        except TROUBLES as error:
            raise Stuck(fault.name) from error
        self._stage.ledger.write("fault_over", **values)

    def _kill(self, fault: Fault) -> None:
        self._crew.send(fault.slot, signal.SIGKILL, "kill", fault.name)

    def _term(self, fault: Fault) -> None:
        self._crew.send(fault.slot, signal.SIGTERM, "term", fault.name)

    def _stop(self, fault: Fault) -> None:
        self._crew.stop(fault.slot, fault.seconds, fault.name)

    def _poison(self, fault: Fault) -> None:
        self._driver.poison(fault.how)

    def _restart(self, fault: Fault) -> None:
        with self._database:
            server = self._stage.server
            self._last(
                fault,
                lambda: server.restart("immediate", _RETURN_SECONDS),
                lambda: server.ensure(_RETURN_SECONDS),
            )
            self._stage.ledger.write("database_up")

    def _crash(self, fault: Fault) -> None:
        """SIGKILL to every process of the server at once: what it had not written is lost."""

        def crash() -> None:
            pid = self._stage.server.pid
            if pid is None:
                return
            postmaster = psutil.Process(pid)
            for process in (postmaster, *postmaster.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    process.kill()

        with self._database:
            self._last(fault, crash, lambda: self._stage.server.ensure(_RETURN_SECONDS))
            self._stage.ledger.write("database_up")

    def _web_kill(self, fault: Fault) -> None:
        """It is away for so long; what it was at is lost, and the connections of everybody."""
        with self._web:
            self._last(fault, self._stage.web.kill, self._stage.web.restart)
            self._stage.ledger.write("web_up")

    def _full_disk(self, fault: Fault) -> None:
        disk = self._stage.disk
        assert disk is not None, "the plan says tmpfs"

        def begin() -> None:
            disk.fill()
            if fault.how == "log":  # a new segment of the log has no room either: the server PANICs
                with suppress(psycopg.Error), psycopg.connect(self._stage.server.url) as own:
                    own.execute("SELECT pg_switch_wal()")

        def end() -> None:
            disk.empty()
            self._stage.server.ensure(_RETURN_SECONDS)

        with self._database:
            self._last(fault, begin, end)
            self._stage.ledger.write("database_up")

    def _terminate(self, fault: Fault) -> None:
        def storm() -> None:
            until = now() + fault.seconds
            while True:
                with suppress(psycopg.Error), psycopg.connect(self._stage.server.url) as own:
                    own.execute(_TERMINATE)
                if now() > until:
                    return
                time.sleep(_STORM_PAUSE_SECONDS)

        self._last(fault, storm, _nothing)

    def _cut(self, fault: Fault) -> None:
        self._last(fault, lambda: self._stage.proxy.cut(fault.slot), _nothing)

    def _ambiguous(self, fault: Fault) -> None:
        """The record of it is written when an answer was really lost."""
        self._stage.proxy.arm(fault.slot)
        self._over.wait(_ARMED_SECONDS)
        self._stage.proxy.disarm(fault.slot)

    def _half_open(self, fault: Fault) -> None:
        proxy = self._stage.proxy
        self._last(
            fault, lambda: proxy.swallow(fault.slot), lambda: proxy.end_swallowing(fault.slot)
        )

    def _slow(self, fault: Fault) -> None:
        proxy = self._stage.proxy
        self._last(
            fault,
            lambda: proxy.slow(fault.slot, int(fault.how) / 1000),
            lambda: proxy.slow(fault.slot, 0.0),
        )

    def _pinned(self, fault: Fault) -> None:
        with suppress(psycopg.Error), psycopg.connect(self._stage.server.url) as own:
            own.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            own.execute("SELECT count(*) FROM jobs_job")
            self._last(fault, _nothing, _nothing)

    def _redis_kill(self, fault: Fault) -> None:
        with self._redis:
            redis = self._redis_server()
            comes_back = fault.at + fault.seconds < self._plan.seconds

            def come_back() -> None:
                redis.kill()  # one that was started and did not answer in time
                redis.start()

            self._last(fault, redis.kill, come_back if comes_back else _nothing)

    def _redis_stop(self, fault: Fault) -> None:
        with self._redis:
            redis = self._redis_server()
            self._last(
                fault, lambda: redis.send(signal.SIGSTOP), lambda: redis.send(signal.SIGCONT)
            )

    def _redis_flush(self, fault: Fault) -> None:
        with self._redis:
            redis = self._redis_server()
            self._last(fault, lambda: _flush(redis), _nothing)

    def _redis_server(self) -> RedisServer:
        assert self._stage.redis is not None, "the plan says redis"
        return self._stage.redis


def _at(fault: Fault) -> float:
    return fault.at


def _nothing() -> None:
    """Nothing to begin or to end."""


def _flush(redis: RedisServer) -> None:
    """When a plan has killed it for good, there is nothing to flush."""
    with suppress(RedisError):
        redis.flush()
