"""docs/processors.md: its code runs as it stands there, and real processes find its package."""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from tests.production import PROJECT
from tests.wheels import install
from tests.workers import Workers, wait_final

PAGE = PROJECT / "docs" / "processors.md"
MODULE = "mediaproc_checksum.py"
TESTS = "test_checksum.py"
PYPROJECT = "pyproject.toml"


def documented() -> dict[str, str]:
    """The files of the page by name."""
    blocks = re.findall(r"^`([\w.]+)`[^\n]*:\n\n```\w+\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    return dict(blocks)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Where the documented package is installed."""
    files = documented()
    project = tomllib.loads(files[PYPROJECT])["project"]
    [(group, points)] = project["entry-points"].items()
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    return install(tmp_path, project["name"], {MODULE: files[MODULE]}, "\n".join(lines))


def test_every_block_of_the_page_is_looked_at() -> None:
    assert set(documented()) == {MODULE, TESTS, PYPROJECT}
    assert len(re.findall("^```(python|toml)", PAGE.read_text(), re.M)) == 3


def test_the_documented_tests_pass(package: Path, tmp_path: Path) -> None:
    (tmp_path / TESTS).write_text(documented()[TESTS])
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", PROJECT / "pyproject.toml", tmp_path / TESTS],
        cwd=PROJECT,
        env={
            **os.environ,
            "PYTHONPATH": str(package),
            "TEST_DATABASE_URL": os.environ["DATABASE_URL"],
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "4 passed" in ran.stdout


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_real_worker_finds_the_installed_package(
    package: Path, workers: Workers, media_root: Path
) -> None:
    (media_root / "sources" / "film.mp4").write_bytes(b"film")
    job_id = submit(NewJob("checksum", source_file="film.mp4")).id
    without = submit(NewJob("unheard_of")).id

    workers.start("--once", ready=False, PYTHONPATH=str(package), MEDIA_ROOT=str(media_root))

    done, unknown = wait_final(job_id, without)
    assert (done.status, unknown.error_code) == (Status.COMPLETED, "unknown_job_type")
    assert done.result is not None
    assert done.result["checksum"] == hashlib.sha256(b"film").hexdigest()
