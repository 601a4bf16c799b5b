"""Pauses are rows, one a pool."""

import pytest

from jobs.models import WorkerProcess
from jobs.queue.pause import NoSuchPool, drain, pause, paused, resume

pytestmark = pytest.mark.django_db


def test_a_pause_stays_until_it_is_resumed() -> None:
    pause("high", actor="alice", reason="disk full")
    pause("high", actor="bob", reason="still full")
    assert {name: (row.paused_by, row.reason) for name, row in paused().items()} == {
        "high": ("bob", "still full")
    }
    assert resume("high")
    assert not resume("high")
    assert paused() == {}


def test_a_pool_that_is_not_there_cannot_be_paused() -> None:
    with pytest.raises(NoSuchPool, match="turbo"):
        pause("turbo")


def test_a_drain_is_for_the_process_of_that_name() -> None:
    WorkerProcess.objects.create(name="here:1", version="", pools={})
    WorkerProcess.objects.create(name="here:2", version="", pools={})
    assert drain("here:2")
    assert not drain("here:3")
    asked = WorkerProcess.objects.filter(drain_requested=True)
    assert [process.name for process in asked] == ["here:2"]
