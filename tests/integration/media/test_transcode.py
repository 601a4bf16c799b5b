"""The life of one transcode: progress, figures, stop, limits, and what is left afterwards."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.media.binaries import Tools
from jobs.media.errors import Stopped
from jobs.media.limits import MEBIBYTE, Limits
from jobs.media.measure import Usage
from jobs.media.transcode import transcode
from tests.integration.media.processes import alive, ffmpeg_below, gone

if TYPE_CHECKING:
    import psutil

ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import sys
from pathlib import Path
from jobs.media.binaries import find_tools
from jobs.media.limits import Limits
from jobs.media.transcode import transcode

source, output, ffmpeg, sandbox = sys.argv[1:]
limits = Limits(sandbox=sandbox)
transcode(Path(source), Path(output), "webm", limits=limits, tools=find_tools(ffmpeg))
"""


@dataclass
class Observed:
    """A whole run, as it is seen from outside."""

    fractions: list[float | None]
    speeds: list[float | None]
    published_early: bool
    usage: Usage
    cpu_seconds: float
    wall_seconds: float


@pytest.fixture(scope="module")
def observed(bunny: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """The bunny becomes an MP4, in a parent that is much larger than the child."""
    output = tmp_path_factory.mktemp("observed") / "1.mp4"
    fractions: list[float | None] = []
    speeds: list[float | None] = []
    existed: list[bool] = []

    def listen(fraction: float | None, speed: float | None) -> None:
        fractions.append(fraction)
        speeds.append(speed)
        existed.append(output.exists())

    ballast = b"\1" * (400 * MEBIBYTE)
    before = os.times()
    began = time.monotonic()
    limits = Limits(sandbox="none")
    done = transcode(bunny, output, "mp4", limits=limits, tools=tools, on_progress=listen)
    after = os.times()
    wall = time.monotonic() - began
    assert len(ballast) == 400 * MEBIBYTE
    cpu = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return Observed(fractions, speeds, any(existed), done.usage, cpu, wall)


def test_progress_goes_up_and_is_complete_only_when_verified(observed: Observed) -> None:
    fractions = [fraction for fraction in observed.fractions if fraction is not None]

    assert len(fractions) == len(observed.fractions) >= 2
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert all(0 <= fraction <= 0.99 for fraction in fractions[:-1])
    assert not observed.published_early
    assert any(speed is not None and speed > 0 for speed in observed.speeds)


def test_the_figures_are_those_of_the_child(observed: Observed) -> None:
    usage = observed.usage

    assert 40 <= usage.peak_memory_mb <= 350
    # The probes before and after it take little beside an encode.
    assert observed.cpu_seconds / 2 <= usage.cpu_seconds <= observed.cpu_seconds
    processors = os.cpu_count() or 1
    assert usage.cpu_seconds / processors <= usage.wall_seconds <= observed.wall_seconds
    average = 100 * usage.cpu_seconds / usage.wall_seconds / processors
    assert int(average) <= usage.peak_cpu_percent <= 100


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

    assert time.monotonic() - stopped_at < 30
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


def test_what_a_killed_attempt_left_is_overwritten(
    clip: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    output.with_name("1.webm.part").write_bytes(b"left over" * 100_000)

    transcode(clip, output, "mp3", limits=limits, tools=tools)

    assert list(output.parent.iterdir()) == [output]
    assert b"left over" not in output.read_bytes()


@pytest.mark.processes
@pytest.mark.parametrize(
    "sandbox",
    [
        "none",
        pytest.param(
            "bwrap",
            marks=pytest.mark.skipif(not shutil.which("bwrap"), reason="no bubblewrap"),
        ),
    ],
)
def test_no_ffmpeg_outlives_a_worker_that_is_killed(
    sandbox: str, long: Path, output: Path, tools: Tools
) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, long, output, tools.ffmpeg, sandbox], cwd=ROOT
    )
    try:
        ffmpeg = ffmpeg_below(worker.pid)
    finally:
        worker.kill()
        worker.wait()

    gone([ffmpeg])
    assert not output.exists()
