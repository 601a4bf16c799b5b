"""Idle threads: one polls, a signal wakes one, none is missed."""

import threading
import time

from jobs.worker.idle import Idle

FOREVER = 3600.0


def waiting(idle: Idle, woken: list[int], number: int) -> threading.Thread:
    """A thread that waits once and then says so."""
    ready = threading.Event()

    def run() -> None:
        seen = idle.seen()
        ready.set()
        idle.wait(seen)
        woken.append(number)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(60)
    return thread


def test_a_signal_between_claim_and_wait_is_not_missed() -> None:
    idle = Idle(FOREVER)
    seen = idle.seen()
    idle.wake_one()
    began = time.monotonic()
    idle.wait(seen)
    assert time.monotonic() - began < FOREVER / 2


def test_a_poll_ends_by_itself() -> None:
    idle = Idle(0.01)
    idle.wait(idle.seen())
    idle.wait(idle.seen())


def test_each_signal_wakes_a_thread_and_the_end_wakes_all() -> None:
    idle = Idle(FOREVER)
    woken: list[int] = []
    threads = [waiting(idle, woken, number) for number in range(4)]
    idle.wake_one()
    while len(woken) < 1:
        time.sleep(0.001)
    idle.close()
    for thread in threads:
        thread.join(60)
    assert sorted(woken) == [0, 1, 2, 3]


def test_after_the_end_nobody_waits() -> None:
    idle = Idle(FOREVER)
    idle.close()
    idle.wait(idle.seen())
