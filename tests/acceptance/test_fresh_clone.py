"""The two commands of the README on a clone that has nothing yet."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaproc import embedded_postgres
from tests.service import MAKE_RUN, PROJECT, STOP_SECONDS, Service
from tests.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]


@pytest.fixture
def clone() -> Iterator[Path]:
    """The project as it is, committed or not, without what is ignored."""
    with tempfile.TemporaryDirectory(prefix="mediaproc-clone-") as name:
        Path(name).chmod(0o755)
        clone = Path(name) / "mediaproc"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )
        for path in filter(None, listed.stdout.split("\0")):
            if (PROJECT / path).exists():
                (clone / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(PROJECT / path, clone / path)
        yield clone
        embedded_postgres.remove(clone / ".postgres")


def test_make_run_on_a_fresh_clone_transcodes_the_sample(clone: Path) -> None:
    service = Service(clone, project=clone)
    service.root, service.media = clone / ".postgres", clone / "media"
    started = service.start(MAKE_RUN)
    job_id = service.submit(source_file="audio.wav", target_format="mp3", priority="low")
    wait_until(lambda: service.job(job_id)["status"] == "COMPLETED", "the job is COMPLETED")
    started.send_signal(signal.SIGTERM)
    started.wait(STOP_SECONDS)
    service.assert_nothing_runs()
