"""What ends a transcode from outside: its limits, a signal, a full disk. Nothing is ever left."""

import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.media.binaries import Tools
from jobs.media.errors import MediaError
from jobs.media.limits import MEBIBYTE, Limits
from jobs.media.transcode import transcode
from tests.integration.media.hostile import huge_picture
from tests.integration.media.processes import alive, ffmpeg_below

if TYPE_CHECKING:
    import psutil


def test_a_child_without_progress_is_stalled(
    long: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    frozen: list[psutil.Process] = []

    def freeze(*_: object) -> None:
        if not frozen:
            frozen.append(ffmpeg_below(os.getpid()))
            frozen[0].suspend()

    with pytest.raises(MediaError, match="no progress for 3 s") as caught:
        transcode(
            long,
            output,
            "webm",
            limits=replace(limits, stall_seconds=3),
            tools=tools,
            on_progress=freeze,
        )

    assert caught.value.code == "stalled"
    assert not caught.value.permanent
    assert not alive(frozen[0])
    assert list(output.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "change", "code", "message"),
    [
        ("webm", {"wall_seconds": 0.3}, "timed_out", r"longer than the 0\.3 s"),
        ("webm", {"cpu_seconds": 1}, "timed_out", "more CPU time than the 1 s"),
        ("avi", {"max_output_bytes": 50_000}, "too_large", "larger than the 1 MiB"),
    ],
)
def test_each_limit_has_its_own_message(
    target: str,
    change: dict[str, float],
    code: str,
    message: str,
    bunny: Path,
    output: Path,
    tools: Tools,
    limits: Limits,
) -> None:
    with pytest.raises(MediaError, match=message) as caught:
        transcode(bunny, output, target, limits=replace(limits, **change), tools=tools)  # type: ignore[arg-type]

    assert caught.value.code == code
    assert caught.value.permanent
    assert list(output.parent.iterdir()) == []


def test_the_limit_of_memory(tmp_path: Path, output: Path, tools: Tools, limits: Limits) -> None:
    picture = huge_picture(tmp_path, side=6000)  # within the limit of pixels

    with pytest.raises(MediaError, match="more than the 300 MiB of memory") as caught:
        transcode(
            picture, output, "jpg", limits=replace(limits, memory_bytes=300 * MEBIBYTE), tools=tools
        )

    assert caught.value.code == "memory_limit"
    assert caught.value.permanent
    assert list(output.parent.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_is_killed_from_outside_may_be_tried_again(
    number: signal.Signals, long: Path, output: Path, tools: Tools, limits: Limits
) -> None:
    killed: list[psutil.Process] = []

    def kill(*_: object) -> None:
        if not killed:  # one that ends by SIGTERM still reports how far it came
            killed.append(ffmpeg_below(os.getpid()))
            killed[0].send_signal(number)

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
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", disk], check=True)
    try:
        with pytest.raises(MediaError, match="disk of the media store is full") as caught:
            transcode(bunny, disk / "output", target, limits=limits, tools=tools)
        left = list(disk.iterdir())
    finally:
        subprocess.run(["/bin/umount", disk], check=True)

    assert caught.value.code == "disk_full"
    assert not caught.value.permanent
    assert "No space left on device" in caught.value.details
    assert left == []
