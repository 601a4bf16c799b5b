"""A child and all it starts are gone afterwards, whatever they do."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from jobs.media.errors import MediaError, Stopped
from jobs.media.limits import Limits
from jobs.media.run import Ended, never, run
from jobs.media.tail import Tail
from tests.integration.media.processes import gone
from tests.waiting import wait_until


class Output:
    """Collects what a script writes."""

    def __init__(self) -> None:
        self.stdout = b""
        self.stderr = Tail()

    def run(self, script: str, stop: Callable[[], bool] = never, wall: float = 30) -> Ended:
        return run(
            ["/bin/sh", "-c", script],
            limits=Limits(sandbox="none", terminate_seconds=0.5),
            wall_seconds=wall,
            stderr=self.stderr,
            on_stdout=self._take,
            stop=stop,
        )

    def processes(self) -> list[psutil.Process]:
        """Those whose ids the script wrote, as far as they exist."""
        pids = [int(field) for field in self.stdout.split()]
        return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]

    def _take(self, data: bytes) -> None:
        self.stdout += data


@pytest.fixture
def output() -> Output:
    return Output()


def test_all_output_is_taken_and_the_status_kept(output: Output) -> None:
    ended = output.run("echo to stdout; echo to stderr >&2; exit 7")

    assert ended.returncode == 7
    assert output.stdout == b"to stdout\n"
    assert output.stderr.lines() == ["to stderr"]


def test_a_child_that_ignores_sigterm_is_killed_with_its_own_children(output: Output) -> None:
    script = "trap '' TERM; (trap '' TERM; sleep 60) & echo $$ $!; wait; sleep 60"
    processes: list[psutil.Process] = []

    def stop() -> bool:
        if output.stdout.endswith(b"\n"):
            processes.extend(output.processes())
        return bool(processes)

    with pytest.raises(Stopped):
        output.run(script, stop)

    assert len(processes) == 2
    gone(processes)


def test_what_a_child_leaves_behind_is_killed_and_does_not_hold_the_pipes(output: Output) -> None:
    started = time.monotonic()

    ended = output.run("sleep 60 & echo $!")

    assert ended.returncode == 0
    assert time.monotonic() - started < 30
    gone(output.processes())


def test_a_child_that_closes_its_pipes_is_waited_for(output: Output, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    output.run(f"exec >&- 2>&-; sleep 0.3; : > {mark}")

    assert mark.exists()


def test_a_flood_is_drained_and_only_its_end_is_kept(output: Output) -> None:
    script = "yes 'one more line of noise' | head -c 20000000 >&2; echo >&2; echo the end >&2"

    output.run(script)

    lines = output.stderr.lines()
    assert lines[-1] == "the end"
    assert len(lines) <= 20


def test_the_wall_limit(output: Output) -> None:
    with pytest.raises(MediaError, match=r"longer than the 0\.5 s") as caught:
        output.run("sleep 60", wall=0.5)

    assert caught.value.code == "timed_out"


def test_stop_is_asked_at_least_ten_times_a_second(output: Output) -> None:
    asked: list[float] = []

    def ten_times_in_a_second() -> bool:
        return any(after - before <= 1.0 for before, after in zip(asked, asked[10:], strict=False))

    def stop() -> bool:
        asked.append(time.monotonic())
        return ten_times_in_a_second() or len(asked) > 200  # a busy machine may need a while

    with pytest.raises(Stopped):
        output.run("sleep 60", stop)

    assert ten_times_in_a_second()


def test_the_child_gets_nothing_of_the_environment(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "not to be told")

    output.run("env")

    assert b"LC_ALL=C" in output.stdout
    assert b"not to be told" not in output.stdout
    assert b"DATABASE_URL" not in output.stdout


def test_waiting_helper_sees_processes(output: Output) -> None:
    """The tests above look at ids that the script writes: they would pass on ids of nothing."""
    seen: list[psutil.Process] = []

    def stop() -> bool:
        seen.extend(wait_until(output.processes, "an id") if output.stdout else [])
        return bool(seen)

    with pytest.raises(Stopped):
        output.run("echo $$; exec sleep 60", stop)

    assert [process.pid for process in seen]
