"""The life of one transcode: progress, figures, stop, limits, and what is left afterwards."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from jobs.media.binaries import Tools
from jobs.media.errors import MediaError, Stopped
from jobs.media.limits import Limits
from jobs.media.transcode import transcode
from tests.integration.media.processes import alive, below, ffmpeg_below, gone

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def long(bikes: Path) -> Path:
    """What takes VP9 many seconds."""
    return bikes


@pytest.fixture
def output(tmp_path: Path) -> Iterator[Path]:
    """Where the output goes; the test ends without a process of its own."""
    folder = tmp_path / "out"
    folder.mkdir()
    yield folder / "1.webm"
    assert below(os.getpid()) == []


def test_progress_goes_up_and_is_complete_only_when_verified(
    bunny: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    told: list[float | None] = []
    speeds: list[float | None] = []
    whole_file_seen: list[bool] = []

    def listen(fraction: float | None, speed: float | None) -> None:
        told.append(fraction)
        speeds.append(speed)
        whole_file_seen.append(output.exists())

    transcode(bunny, output, "mp4", limits=limits, tools=tools, on_progress=listen)

    fractions = [fraction for fraction in told if fraction is not None]
    assert len(fractions) == len(told) >= 2
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert all(0 <= fraction <= 0.99 for fraction in fractions[:-1])
    assert not any(whole_file_seen)
    assert any(speed is not None and speed > 0 for speed in speeds)


def test_progress_is_unknown_where_the_duration_is(
    make: Callable[..., None], tmp_path: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    source = tmp_path / "live.mkv"
    make("-f", "lavfi", "-i", "sine=duration=20", "-c:a", "flac", "-live", "1", source)
    told: list[float | None] = []

    transcode(
        source, output, "mp3", limits=limits, tools=tools, on_progress=lambda f, _: told.append(f)
    )

    assert len(told) >= 2
    assert set(told[:-1]) == {None}
    assert told[-1] == 1.0


def test_the_figures_are_those_of_the_child(
    bunny: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    ballast = b"\1" * (300 * 1024 * 1024)  # what the parent holds is not the child's
    before = os.times()

    usage = transcode(bunny, output, "mp4", limits=limits, tools=tools).usage

    after = os.times()
    children = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    assert len(ballast) > 0
    assert 40 <= usage.peak_memory_mb <= 280
    assert 0.5 <= usage.cpu_seconds <= children
    assert 0.3 <= usage.wall_seconds
    average = 100 * usage.cpu_seconds / usage.wall_seconds / (os.cpu_count() or 1)
    assert int(average) <= usage.peak_cpu_percent <= 100


def test_stop_ends_the_child_and_leaves_nothing(
    long: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    seen: list[psutil.Process] = []
    stopped_at = 0.0

    def stop() -> bool:
        nonlocal stopped_at
        if seen:
            stopped_at = stopped_at or time.monotonic()
        return bool(seen)

    with pytest.raises(Stopped):
        transcode(
            long,
            output,
            "webm",
            limits=limits,
            tools=tools,
            on_progress=lambda *_: seen.append(ffmpeg_below(os.getpid())),
            stop=stop,
        )

    assert time.monotonic() - stopped_at < limits.terminate_seconds
    assert not alive(seen[0])
    assert list(output.parent.iterdir()) == []


def test_stop_before_the_start(long: Path, output: Path, tools: Tools, limits: Limits) -> None:
    with pytest.raises(Stopped):
        transcode(long, output, "webm", limits=limits, tools=tools, stop=lambda: True)

    assert list(output.parent.iterdir()) == []


def test_a_stopped_child_can_be_stopped_for_good(
    long: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    frozen: list[psutil.Process] = []

    def freeze(*_: object) -> None:
        frozen.append(ffmpeg_below(os.getpid()))
        frozen[0].suspend()

    with pytest.raises(Stopped):
        transcode(
            long,
            output,
            "webm",
            limits=limits,
            tools=tools,
            on_progress=freeze,
            stop=lambda: bool(frozen),
        )

    assert not alive(frozen[0])
    assert list(output.parent.iterdir()) == []


def test_a_callback_that_fails_leaves_nothing(
    long: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        transcode(long, output, "webm", limits=limits, tools=tools, on_progress=fail)

    assert list(output.parent.iterdir()) == []


def test_a_child_without_progress_is_stalled(
    long: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    frozen: list[psutil.Process] = []

    def freeze(*_: object) -> None:
        if not frozen:
            frozen.append(ffmpeg_below(os.getpid()))
            frozen[0].suspend()

    with pytest.raises(MediaError, match="no progress for 2 s") as caught:
        transcode(
            long,
            output,
            "webm",
            limits=replace(limits, stall_seconds=2),
            tools=tools,
            on_progress=freeze,
        )

    assert caught.value.code == "stalled"
    assert not caught.value.permanent
    assert not alive(frozen[0])
    assert list(output.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"wall_seconds": 0.8}, "timed_out", "longer than the 0.8 s"),
        ({"cpu_seconds": 1}, "timed_out", "more CPU time than the 1 s"),
        ({"max_output_bytes": 20_000}, "too_large", "larger than"),
        ({"memory_bytes": 90 * 2**20}, "memory_limit", "more memory than"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_limit_has_its_own_message(
    change: dict[str, float],
    code: str,
    message: str,
    bunny: Path,
    output: Path,
    tools: Tools,
    limits: Limits,
) -> None:
    with pytest.raises(MediaError, match=message) as caught:
        transcode(bunny, output, "webm", limits=replace(limits, **change), tools=tools)  # type: ignore[arg-type]

    assert caught.value.code == code
    assert caught.value.permanent
    assert list(output.parent.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_is_killed_from_outside_may_be_tried_again(
    number: signal.Signals, long: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    def kill(*_: object) -> None:
        ffmpeg_below(os.getpid()).send_signal(number)

    with pytest.raises(MediaError, match="from outside") as caught:
        transcode(long, output, "webm", limits=limits, tools=tools, on_progress=kill)

    assert caught.value.code == "killed"
    assert not caught.value.permanent
    assert list(output.parent.iterdir()) == []


def test_a_crash_is_the_fault_of_the_file(
    long: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    def crash(*_: object) -> None:
        ffmpeg_below(os.getpid()).send_signal(signal.SIGSEGV)

    with pytest.raises(MediaError, match="crashed on this file") as caught:
        transcode(long, output, "webm", limits=limits, tools=tools, on_progress=crash)

    assert caught.value.code == "encode_failed"
    assert caught.value.permanent


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
@pytest.mark.parametrize("target", ["flac", "mp4"])
def test_a_full_disk_may_be_tried_again(
    target: str, bunny: Path, tmp_path: Path, tools: Tools, limits: Limits
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", disk], check=True)
    try:
        with pytest.raises(MediaError, match="disk of the media store is full") as caught:
            transcode(bunny, disk / "output", target, limits=limits, tools=tools)
        left = list(disk.iterdir())
    finally:
        subprocess.run(["umount", disk], check=True)

    assert caught.value.code == "disk_full"
    assert not caught.value.permanent
    assert "No space left on device" in caught.value.details
    assert left == []


def test_what_a_killed_attempt_left_is_overwritten(
    clip: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    output.with_name("1.webm.part").write_bytes(b"left over" * 100_000)

    transcode(clip, output, "mp3", limits=limits, tools=tools)

    assert list(output.parent.iterdir()) == [output]
    assert b"left over" not in output.read_bytes()


@pytest.mark.processes
def test_no_ffmpeg_outlives_a_worker_that_is_killed(long: Path, output: Path, tools: Tools) -> None:
    worker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from jobs.media.transcode import transcode\n"
            "from jobs.media.limits import Limits; from jobs.media.binaries import find_tools\n"
            "source, output, ffmpeg = sys.argv[1:]\n"
            "transcode(Path(source), Path(output), 'webm', limits=Limits(sandbox='none'),"
            " tools=find_tools(ffmpeg))",
            *(long, output, tools.ffmpeg),
        ],
        cwd=ROOT,
    )
    try:
        ffmpeg = ffmpeg_below(worker.pid)
    finally:
        worker.kill()
        worker.wait()

    gone([ffmpeg])
    assert not output.exists()
