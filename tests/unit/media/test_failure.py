"""Why a command failed, from what it left."""

import signal

import pytest

from jobs.media.failure import failure
from jobs.media.limits import Limits
from jobs.media.measure import Usage
from jobs.media.tail import Tail

LIMITS = Limits(cpu_seconds=10, max_output_bytes=5_000_000, memory_bytes=2**30)


def failed(returncode: int, stderr: str = "", cpu: float = 1.0) -> tuple[str, str, bool]:
    """Code, message, and whether it is permanent."""
    tail = Tail()
    tail.feed(stderr.encode())
    usage = Usage(50, 100, wall_seconds=2.0, cpu_seconds=cpu)
    error = failure("encode_failed", returncode, usage, tail, LIMITS, 60)
    return error.code, error.message, error.permanent


@pytest.mark.parametrize(
    ("returncode", "stderr", "code", "permanent"),
    [
        (1, "[error] av_interleaved_write_frame(): No space left on device", "disk_full", False),
        (228, "[out#0/mp4] [error] Error muxing a packet\n", "encode_failed", True),
        (1, "[error] output: Disk quota exceeded", "disk_full", False),
        (1, "[out] [error] Error writing trailer: File too large", "too_large", True),
        (1, "[png] [error] Picture size exceeds specified max pixel count 4", "too_large", True),
        (244, "[vf#0:0] [error] Task finished: Cannot allocate memory", "memory_limit", True),
        (183, "[in#0] [error] moov atom not found", "truncated_input", True),
        (1, "[info] title: No space left on device", "encode_failed", True),
        (1, "[warning] No space left on device", "encode_failed", True),
        (-signal.SIGXFSZ, "", "too_large", True),
        (128 + signal.SIGXFSZ, "", "too_large", True),
        (-signal.SIGKILL, "", "killed", False),
        (128 + signal.SIGKILL, "", "killed", False),
        (-signal.SIGTERM, "", "killed", False),
        (255, "", "killed", False),
        (-signal.SIGXCPU, "", "timed_out", True),
        (-signal.SIGSEGV, "", "encode_failed", True),
        (128 + signal.SIGSEGV, "", "encode_failed", True),
        (126, "", "ffmpeg_missing", False),
        (127, "", "ffmpeg_missing", False),
        (1, "", "encode_failed", True),
    ],
)
def test_reasons(returncode: int, stderr: str, code: str, permanent: bool) -> None:
    assert (failed(returncode, stderr)[0], failed(returncode, stderr)[2]) == (code, permanent)


@pytest.mark.parametrize("returncode", [255, 123, -signal.SIGKILL, -signal.SIGXCPU])
def test_a_child_that_used_up_its_cpu_time(returncode: int) -> None:
    code, message, permanent = failed(returncode, cpu=10.2)

    assert code == "timed_out"
    assert "more CPU time than the 10 s" in message
    assert permanent


def test_messages_name_the_limit() -> None:
    assert "larger than the 5 MiB" in failed(-signal.SIGXFSZ)[1]
    assert "1024 MiB of memory" in failed(1, "[error] Cannot allocate memory")[1]
    assert "crashed on this file (signal 11)" in failed(-signal.SIGSEGV)[1]


def test_the_last_lines_are_appended_without_noise() -> None:
    tail = Tail()
    tail.feed(b"[info] Input #0\n" + b"".join(b"[error] line %d\n" % n for n in range(9)))
    tail.feed(b"[fatal] At least one output file must be specified\n")

    error = failure("unreadable_media", 1, Usage(0, 0, 0.0, 0.0), tail, LIMITS, 60)

    assert error.code == "unreadable_media"
    assert error.details.splitlines() == [f"[error] line {n}" for n in range(3, 9)]
    assert str(error) == f"{error.message}\n{error.details}"
