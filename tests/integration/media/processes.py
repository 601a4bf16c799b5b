"""Look at and for processes."""

import psutil

from tests.waiting import wait_until


def below(pid: int) -> list[psutil.Process]:
    """The living processes that a process started, and theirs."""
    try:
        return [child for child in psutil.Process(pid).children(recursive=True) if alive(child)]
    except psutil.NoSuchProcess:
        return []


def ffmpeg_below(pid: int) -> psutil.Process:
    """Wait for the ffmpeg that this process encodes with."""
    return wait_until(lambda: _encoding(pid), "an ffmpeg that encodes")


def alive(process: psutil.Process) -> bool:
    """Whether it runs; a zombie, which only nobody has waited for, does not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def gone(processes: list[psutil.Process], *, seconds: float = 30) -> None:
    """Wait until none of them is alive."""
    wait_until(lambda: not any(map(alive, processes)), f"the end of {processes}", seconds=seconds)


def _encoding(pid: int) -> psutil.Process | None:
    for process in below(pid):
        try:
            command = process.cmdline()
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        if command and "ffmpeg" in command[0] and "-progress" in command:
            return process
    return None
