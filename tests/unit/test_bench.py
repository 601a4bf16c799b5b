"""What the benchmarks rest on: marks through a fifo, the summary, the table, the locks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.contenders import OWN, PEERS
from bench.fifo import Fifo
from bench.memory import peak_mb
from bench.results import Results
from bench.table import table
from bench.timed_worker import claim_times

PROJECT = Path(__file__).resolve().parents[2]
MARK = "from bench import marks\nfor number in range(5): marks.started(number)"


def _nobody() -> None:
    """No worker that could have ended."""


@pytest.mark.parametrize(("last", "told"), [("3", [0, 3]), ("every", [0, 1, 2, 3, 4])])
def test_a_worker_tells_of_its_first_job_and_the_last(
    tmp_path: Path, last: str, told: list[int]
) -> None:
    fifo = Fifo(tmp_path / "marks")
    environment = {**os.environ, "BENCH_PIPE": str(fifo.path), "BENCH_LAST": last}
    subprocess.run([sys.executable, "-c", MARK], cwd=PROJECT, env=environment, check=True)
    marks = [fifo.next(5, _nobody) for _ in told]
    assert [number for number, _ in marks] == told
    assert [moment for _, moment in marks] == sorted(moment for _, moment in marks)
    with pytest.raises(TimeoutError):
        fifo.next(0.1, _nobody)
    fifo.close()


def test_a_summary_has_medians_with_least_and_greatest() -> None:
    results = Results()
    for rate in (30.0, 10.0, 20.0):
        results.add("best", rate)
        results.add("best_ratio", rate / 10)
    results.waits += [1.0, 2.0, 3.0]
    summary = results.summary(OWN)
    assert (summary["drain"], summary["drain_ratio"]) == (20, 2)
    assert summary["ranges"]["drain"] == [10, 30]
    assert summary["latency_ms"]["p50"] == 2
    shown = table(10, {OWN.name: summary, "other": {"skipped": "it is not here"}})
    assert "20 (10-30)" in shown
    assert "other: SKIPPED, it is not here" in shown


def test_contenders_have_what_a_round_asks_for() -> None:
    for peer in (OWN, *PEERS):
        assert set(peer.drains) <= set(peer.modes)
    assert len({peer.name for peer in PEERS}) == len(PEERS)


def test_claim_times_are_those_after_a_moment(tmp_path: Path) -> None:
    times = tmp_path / "times"
    times.write_text("10 9000000\n20 1000000\n30 2000000\n40 3000000\n")
    assert claim_times(times, 10) == {"p50": 2, "p95": 3, "p99": 3}


def test_memory_is_that_of_the_process() -> None:
    grown = "x" * 50_000_000
    assert len(grown) / 1e6 < peak_mb(os.getpid()) < 10_000


@pytest.mark.parametrize("name", ["requirements-bench.txt", "bench/node/package-lock.json"])
def test_a_lock_names_no_host(name: str) -> None:
    assert "://" not in (PROJECT / name).read_text()
