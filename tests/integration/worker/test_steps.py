"""Steps of several threads in one: what each brings and gets, and how they fare when it breaks."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from django.db import connection
from django.db.models import F

from jobs.models import Job, JobMetrics
from jobs.outcomes import Completed, Interrupted
from jobs.queue.database import direct_parameters
from jobs.queue.finish import Finished, finish
from jobs.queue.submit import NewJob, submit, submit_many
from jobs.states import Status
from jobs.worker.bounds import Bounds
from jobs.worker.patience import GaveUp, Patience
from jobs.worker.steps import AT_ONCE, AT_ONCE_BESIDE_OTHERS, Steps
from tests.rows import ALL, DONE, claim, finished
from tests.waiting import wait_until
from tests.workers import Workers

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST_SECONDS = 0.3
GRACE_SECONDS = 60.0
# Of a busy machine. By its share of the time alone, a look at everything would come after minutes.
SLACK_SECONDS = 20.0


class Thread(threading.Thread):
    """A thread of a pool that takes one step."""

    def __init__(self, steps: Steps, brings: list[Finished], want: int) -> None:
        super().__init__(daemon=True)
        self._take: Callable[[], Any] = lambda: steps.take(brings, want)
        self.claimed: list[Any] = []
        self.lost: set[int] = set()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Take it."""
        try:
            self.claimed, self.lost = self._take()
        except BaseException as error:
            self.error = error
        finally:
            connection.close()


class Pool:
    """Steps, and threads that have come to them one after the other."""

    def __init__(self, *, alone: bool = True) -> None:
        self.patience = Patience()
        self.alone = alone
        self.steps = Steps(ALL, self.patience, Bounds(LONGEST_SECONDS), lambda: self.alone)
        self.threads: list[Thread] = []

    def come(self, brings: list[Finished] | None = None, want: int = 1) -> Thread:
        """A thread comes; returns once it is in a step or waits for one."""
        thread = Thread(self.steps, brings or [], want)
        self.threads.append(thread)
        number = len(self.threads)
        thread.start()
        wait_until(lambda: self._there() >= number or not thread.is_alive(), "the thread is there")
        return thread

    def joined(self) -> list[Thread]:
        """All threads, once they have ended."""
        wait_until(lambda: not any(one.is_alive() for one in self.threads), "all have ended")
        return self.threads

    def _there(self) -> int:
        return self.steps._under_way + len(self.steps._waiting)


@contextmanager
def table_locked() -> Iterator[psycopg.Connection[Any]]:
    """No step gets on until the end."""
    with psycopg.connect(**direct_parameters()) as outside:
        outside.execute("LOCK TABLE jobs_job IN ACCESS EXCLUSIVE MODE")
        yield outside


def blocked() -> list[int]:
    """The backends whose step waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query LIKE '%%jobs_step%%'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def wait_for_leaders(number: int = AT_ONCE) -> list[int]:
    """The steps under way, once they wait for the lock."""
    wait_until(lambda: len(blocked()) == number, f"{number} steps are under way")
    return blocked()


def terminate(pids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [pids])


def queue(number: int, **values: Any) -> None:
    submit_many(NewJob("noop", **values) for _ in range(number))


def test_two_steps_at_a_time_and_each_thread_gets_what_it_wants() -> None:
    queue(20)
    pool = Pool()
    with table_locked():
        wants = [1, 1, 2, 0, 3, 1]
        for want in wants:
            pool.come(want=want)
        wait_for_leaders()
    assert [len(thread.claimed) for thread in pool.joined()] == wants
    ids = [one.job_id for thread in pool.threads for one in thread.claimed]
    assert len(ids) == len(set(ids)) == Job.objects.filter(status=Status.IN_PROGRESS).count()
    assert pool.steps._under_way == 0


def test_beside_other_processes_one_step_at_a_time() -> None:
    queue(20)
    pool = Pool(alone=False)
    with table_locked():
        for _ in range(5):
            pool.come()
        wait_for_leaders(AT_ONCE_BESIDE_OTHERS)
        assert len(pool.steps._waiting) == 5 - AT_ONCE_BESIDE_OTHERS
    assert [len(thread.claimed) for thread in pool.joined()] == [1] * 5
    assert pool.steps._under_way == 0


@pytest.mark.parametrize("alone", [True, False], ids=["others have gone", "others have come"])
def test_when_other_processes_come_or_go_nobody_is_left_waiting(alone: bool) -> None:
    queue(20)
    pool = Pool(alone=not alone)
    with table_locked():
        for _ in range(6):
            pool.come()
        wait_for_leaders(AT_ONCE_BESIDE_OTHERS if alone else AT_ONCE)
        pool.alone = alone
    assert [len(thread.claimed) for thread in pool.joined()] == [1] * 6
    assert pool.steps._under_way == 0


def test_when_there_is_less_than_wanted_the_first_to_come_get_it_in_order() -> None:
    queue(3, priority=2)
    queue(3, priority=9)
    pool = Pool(alone=False)
    with table_locked():
        pool.come()
        wait_for_leaders(AT_ONCE_BESIDE_OTHERS)
        waiting = [pool.come(want=2) for _ in range(4)]
    pool.joined()
    got = [[one.priority for one in thread.claimed] for thread in waiting]
    assert got == [[9, 9], [2, 2], [2], []]


def test_what_all_bring_is_settled_and_each_learns_what_is_lost() -> None:
    queue(6)
    claimed = claim(6)
    lost = claimed[4]
    Job.objects.filter(id=lost.job_id).update(
        status=Status.QUEUED, lease=None, lease_expires_at=None
    )
    pool = Pool()
    with table_locked():
        for one in claimed:
            pool.come([finished(one)], want=0)
        wait_for_leaders()
    assert all(lost.lease in t.lost for t in pool.joined() if t.lost)
    assert lost.lease in pool.threads[4].lost
    assert JobMetrics.objects.count() == 5
    assert Job.objects.filter(status=Status.COMPLETED).count() == 5


@pytest.mark.parametrize(
    "bad",
    [
        Completed(DONE.metrics, {"text": "a\x00b"}),
        Completed(cast("Any", None)),
        Completed(DONE.metrics, {"a": {1, 2}}),
        None,
    ],
    ids=["unstorable", "no metrics", "not JSON", "no outcome"],
)
def test_a_bad_outcome_in_a_group_fails_its_own_job_alone(bad: Any) -> None:
    queue(12)
    claimed = claim(6)
    pool = Pool()
    with table_locked():
        for number, one in enumerate(claimed):
            pool.come([finished(one, bad if number == 3 else DONE)])
        wait_for_leaders()
    assert [thread.error for thread in pool.joined()] == [None] * 6
    assert [len(thread.claimed) for thread in pool.threads] == [1] * 6
    assert JobMetrics.objects.count() == 5
    failed = Job.objects.get(id=claimed[3].job_id)
    assert (failed.status, failed.error_code) == (Status.FAILED, "bad_result")


def test_broken_connections_of_leaders_cost_nothing() -> None:
    queue(20)
    claimed = claim(6)
    pool = Pool()
    with table_locked():
        for one in claimed:
            pool.come([finished(one)])
        terminate(wait_for_leaders())
        wait_for_leaders()  # on new connections
    assert [thread.error for thread in pool.joined()] == [None] * 6
    assert [len(thread.claimed) for thread in pool.threads] == [1] * 6
    assert JobMetrics.objects.count() == 6
    assert not any(thread.lost for thread in pool.threads)


def test_threads_that_wait_end_when_the_worker_gives_up() -> None:
    queue(6)
    claimed = claim(6)
    pool = Pool()
    with table_locked():
        for one in claimed:
            pool.come([finished(one)])
        wait_for_leaders()
        pool.patience.give_up()

        def all_ended() -> bool:
            terminate(blocked())
            return not any(thread.is_alive() for thread in pool.threads)

        wait_until(all_ended, "all have ended")
    assert [type(thread.error) for thread in pool.threads] == [GaveUp] * 6
    # Nothing was settled: what the threads brought can be handed back.
    assert finish([finished(one, Interrupted(started=True)) for one in claimed]) == set()
    assert Job.objects.filter(status=Status.QUEUED, attempt=0).count() == 6


def test_a_defect_ends_every_thread_of_its_step_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue(6)
    pool = Pool()
    with table_locked():
        for _ in range(5):
            pool.come()
        wait_for_leaders()
        # The leaders are past it; those who wait meet it.
        monkeypatch.setattr(pool.steps, "_claim", lambda *_: 1 // 0)
    errors = [type(thread.error) for thread in pool.joined()]
    assert errors == [type(None)] * AT_ONCE + [ZeroDivisionError] * 3
    monkeypatch.undo()
    late = pool.come()
    pool.joined()
    assert late.error is None
    assert len(late.claimed) == 1


def late_job(seconds: float = 60.0, **values: Any) -> Job:
    """A job whose place was passed long ago, as a late commit or a rescue leaves it."""
    job = submit(NewJob("noop", **values))
    Job.objects.filter(id=job.id).update(queued_at=F("queued_at") - timedelta(seconds=seconds))
    return job


def take_until(steps: Steps, job: Job) -> float:
    """Claim what comes until the job comes: after how many seconds."""
    began = time.monotonic()

    def found() -> bool:
        submit(NewJob("noop", priority=job.priority))
        claimed, _ = steps.take([], 1)
        return bool(claimed) and claimed[0].job_id == job.id

    wait_until(found, "the late job is claimed")
    return time.monotonic() - began


class SlowBounds(Bounds):
    """As if a look at everything took long, because a snapshot keeps dead entries there."""

    def learn(self, after: Any, reached: Any, began: float, now: float, **more: Any) -> None:
        """See Bounds."""
        super().learn(after, reached, min(began, now - 5.0), now, **more)


def test_a_job_before_the_place_that_was_reached_is_found_within_the_longest_time() -> None:
    steps = Steps(ALL, Patience(), SlowBounds(LONGEST_SECONDS), lambda: True)
    queue(1)
    steps.take([], 1)
    job = late_job()
    assert take_until(steps, job) < LONGEST_SECONDS + SLACK_SECONDS


def test_a_hand_back_before_the_place_is_found_too_and_keeps_its_turn() -> None:
    steps = Steps(ALL, Patience(), SlowBounds(LONGEST_SECONDS), lambda: True)
    queue(3)
    [first], _ = steps.take([], 1)
    [_], _ = steps.take([], 1)
    finish([finished(first, Interrupted(started=True))])
    queue(3)
    began = time.monotonic()
    order: list[Any] = []

    def found() -> bool:
        claimed, _ = steps.take([], 1)
        order.extend(one.job_id for one in claimed)
        return first.job_id in order

    wait_until(found, "the job that was handed back is claimed")
    assert time.monotonic() - began < LONGEST_SECONDS + SLACK_SECONDS


def test_the_place_of_one_priority_hides_nothing_of_another() -> None:
    steps = Steps(ALL, Patience(), SlowBounds(60.0), lambda: True)
    queue(2, priority=3)
    steps.take([], 1)
    other = late_job(priority=9)
    lower = late_job(priority=1)
    claimed = [steps.take([], 1)[0][0].job_id for _ in range(3)]
    assert claimed[0] == other.id
    assert claimed[2] == lower.id


@pytest.mark.processes
@pytest.mark.parametrize("signals", [1, 2])
def test_a_worker_whose_threads_all_wait_ends_when_told(
    workers: Workers, tmp_path: Path, signals: int
) -> None:
    worker = workers.start(
        "--queue", "high", POOLS="high=7-10:6,low=0-6:1", WORKER_GRACE_SECONDS=str(GRACE_SECONDS)
    )
    folder = tmp_path / "jobs"
    folder.mkdir()
    ids = submit_many(
        NewJob("hold", parameters={"folder": str(folder)}, priority=9) for _ in range(6)
    )
    wait_until(lambda: len(list(folder.iterdir())) == 6, "all six run")
    later = submit_many(
        NewJob("hold", parameters={"folder": str(tmp_path / "none")}, priority=9) for _ in range(6)
    )
    with table_locked():
        (folder / "release").touch()
        wait_until(blocked, "their steps wait")
        worker.send(signal.SIGTERM)
        wait_until(lambda: worker.events("worker.draining"), "it drains")
        if signals > 1:  # two at once may be one to the process
            worker.send(signal.SIGTERM)
            assert worker.wait(GRACE_SECONDS / 2) == 0
    if signals == 1:
        # They asked for more work before they were told, and get it: it is handed back at once.
        assert worker.wait(GRACE_SECONDS / 2) == 0
        assert Job.objects.filter(id__in=later, status=Status.QUEUED, attempt=0).count() == 6
        assert Job.objects.filter(id__in=ids, status=Status.COMPLETED).count() == 6
    assert "Traceback" not in worker.output()


def test_higher_jobs_do_not_keep_the_look_at_everything_from_the_lower_ones() -> None:
    steps = Steps(ALL, Patience(), SlowBounds(LONGEST_SECONDS), lambda: True)
    queue(1, priority=3)
    steps.take([], 1)
    late = late_job(priority=3)
    queue(20, priority=3)
    time.sleep(LONGEST_SECONDS)
    queue(1, priority=9)
    claimed = [steps.take([], 1)[0][0].job_id for _ in range(2)]
    assert claimed[1] == late.id
