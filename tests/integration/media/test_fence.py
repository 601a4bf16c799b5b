"""The fence as the child feels it."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from jobs.media.binaries import Tools
from jobs.media.errors import MediaError, Stopped
from jobs.media.fence import fenced, gaps
from jobs.media.limits import GIBIBYTE, Limits, Sandbox
from jobs.media.transcode import transcode
from tests.integration.media.judge import judge
from tests.integration.media.processes import below, ffmpeg_below, gone

ROOT = Path(__file__).resolve().parents[3]
needs_bwrap = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")


def run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(not shutil.which("prlimit"), reason="prlimit is not installed")
def test_the_limits_reach_the_child(limits: Limits) -> None:
    limits = replace(limits, memory_bytes=GIBIBYTE, max_output_bytes=5_000_000, open_files=99)

    told = run(fenced(["/bin/cat", "/proc/self/limits"], limits, wall_seconds=100))

    soft = {line[:26].strip(): line[26:].split()[0] for line in told.splitlines()}
    assert soft["Max address space"] == str(GIBIBYTE)
    assert soft["Max file size"] == "5000000"
    assert soft["Max open files"] == "99"
    assert soft["Max core file size"] == "0"
    assert soft["Max cpu time"] == str(100 * limits.threads)


def test_the_child_is_nicer_than_its_parent(limits: Limits) -> None:
    told = run(fenced(["/bin/sh", "-c", "nice"], replace(limits, nice=7), wall_seconds=100))

    assert int(told) == os.nice(0) + 7


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_the_child_can_gain_no_privileges(limits: Limits) -> None:
    told = run(fenced(["/bin/cat", "/proc/self/status"], limits, wall_seconds=100))

    assert "NoNewPrivs:\t1" in told


def test_a_limit_above_the_services_own_is_lowered_to_it() -> None:
    script = (
        "from jobs.media.fence import fenced; from jobs.media.limits import Limits; import json;"
        "print(json.dumps(fenced(['/bin/true'], Limits(sandbox='none'), wall_seconds=1)))"
    )

    told = run(
        [
            "prlimit",
            "--nofile=200:200",
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); {script}",
        ]
    )

    assert "--nofile=200" in told


def test_nothing_is_missing_where_util_linux_is(limits: Limits) -> None:
    expected = [] if shutil.which("prlimit") and shutil.which("setpriv") else gaps(limits)

    assert gaps(limits) == expected


@pytest.mark.processes
@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_a_child_that_starts_after_its_parents_death_does_not_run(tmp_path: Path) -> None:
    """The moment between the start of a child and its setpriv, stretched by a pipe."""
    gate, mark = tmp_path / "gate", tmp_path / "mark"
    os.mkfifo(gate)
    script = (
        "import subprocess, sys; from jobs.media.fence import fenced\n"
        "from jobs.media.limits import Limits\n"
        "gate, mark = sys.argv[1:]\n"
        "command = fenced(['/bin/touch', mark], Limits(sandbox='none'), wall_seconds=60)\n"
        "subprocess.Popen(['/bin/sh', '-c', 'read line < \"$0\"; exec \"$@\"', gate, *command],"
        " start_new_session=True)\n"
        "print('started', flush=True)\n"
        "sys.stdin.read()\n"
    )

    def start() -> tuple["subprocess.Popen[bytes]", list[psutil.Process]]:
        worker = subprocess.Popen(
            [sys.executable, "-c", script, gate, mark],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"started\n"
        return worker, list(below(worker.pid))

    survivor, children = start()
    gate.write_text("go\n")
    gone(children)
    assert mark.exists()  # with its parent alive it runs
    survivor.kill()
    survivor.wait()
    mark.unlink()

    victim, children = start()
    victim.kill()
    victim.wait()
    gate.write_text("go\n")
    gone(children)
    assert not mark.exists()


@needs_bwrap
@pytest.mark.parametrize("target", ["mp4", "mp3", "gif", "jpg"])
def test_the_sandbox_lets_work_through(
    target: str, clip: Path, tmp_path: Path, tools: Tools, limits: Limits
) -> None:
    output = tmp_path / f"output.{target}"

    done = transcode(clip, output, target, limits=replace(limits, sandbox="bwrap"), tools=tools)

    assert judge(tools.ffmpeg, output).codecs
    assert done.usage.peak_memory_mb >= 10
    assert done.usage.cpu_seconds > 0.02


@needs_bwrap
@pytest.mark.parametrize("mode", ["bwrap", "none"])
def test_the_sandbox_shows_neither_files_nor_network(
    mode: Sandbox, clip: Path, tools: Tools, limits: Limits
) -> None:
    def accept(listener: socket.socket) -> None:
        listener.accept()[0].close()

    def attempt(name: str) -> str:
        command = [str(tools.ffmpeg), "-nostdin", "-i", name, "-f", "null", "-"]
        sandboxed = replace(limits, sandbox=mode)
        fence = fenced(command, sandboxed, wall_seconds=60)
        return subprocess.run(fence, capture_output=True, text=True, check=False).stderr

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = threading.Thread(target=accept, args=[listener])
        server.start()
        network = attempt(f"tcp://127.0.0.1:{port}")
        if mode == "bwrap":
            socket.create_connection(("127.0.0.1", port)).close()
        server.join()

    assert ("No such file or directory" in attempt(f"file:{clip}")) == (mode == "bwrap")
    assert ("Connection refused" in network) == (mode == "bwrap")


@needs_bwrap
def test_stop_reaches_into_the_sandbox(
    bikes: Path, tmp_path: Path, tools: Tools, limits: Limits
) -> None:
    seen = []

    with pytest.raises(Stopped):
        transcode(
            bikes,
            tmp_path / "output",
            "webm",
            limits=replace(limits, sandbox="bwrap"),
            tools=tools,
            on_progress=lambda *_: seen.append(ffmpeg_below(os.getpid())),
            stop=lambda: bool(seen),
        )

    gone(seen)
    assert list(tmp_path.iterdir()) == []


def test_a_sandbox_that_is_demanded_must_be_there(
    clip: Path, tmp_path: Path, tools: Tools, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.media.sandbox._works", lambda _: False)

    with pytest.raises(MediaError, match="bubblewrap is not installed") as caught:
        transcode(
            clip, tmp_path / "out", "mp3", limits=replace(limits, sandbox="bwrap"), tools=tools
        )

    assert caught.value.code == "sandbox_missing"
    assert not caught.value.permanent
