"""A web server, remote workers without a database, and a media store, for each test."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from tests.films import make_film
from tests.web import WebServer
from tests.workers import PROJECT, WorkerUnderTest, database_url


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short film, and one that takes seconds to become a webm."""
    store = tmp_path_factory.mktemp("films")
    (store / "sources").mkdir()
    make_film(store, "short.mp4", 1)
    make_film(store, "long.mp4", 20)
    return store / "sources"


@pytest.fixture
def store(media_root: Path, films: Path) -> Path:
    """The media store of the web server and of this process."""
    shutil.copytree(films, media_root / "sources", dirs_exist_ok=True)
    return media_root


@pytest.fixture
def web(
    transactional_db: None, store: Path, tmp_path: Path, settings: Settings
) -> Iterator[WebServer]:
    server = WebServer(database_url(), store, tmp_path / "web.log")
    yield server
    server.stop()


class RemoteWorkers:
    """Starts `remote_worker` processes that can reach no database."""

    def __init__(self, web: WebServer, folder: Path) -> None:
        self._web = web
        self._folder = folder
        self._all: list[WorkerUnderTest] = []

    def start(self, *arguments: str, **environment: str) -> WorkerUnderTest:
        log = self._folder / f"remote-{len(self._all)}.log"
        temporary = self._folder / f"remote-{len(self._all)}"
        temporary.mkdir()
        nowhere = {
            "DJANGO_SETTINGS_MODULE": "mediaproc.settings",
            "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:1/nowhere",
            "MEDIA_ROOT": "/nonexistent",
            "REMOTE_WORKER_TOKEN": "of-nobody",
            "TMPDIR": str(temporary),
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "manage.py", "remote_worker"),
                    *("--server", self._web.address, *arguments),
                ],
                cwd=PROJECT,
                env={**os.environ, **nowhere, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        worker = WorkerUnderTest(process, log)
        self._all.append(worker)
        return worker

    def kill_all(self) -> None:
        for worker in self._all:
            if worker.process.poll() is None:
                worker.send(signal.SIGKILL)
                worker.process.wait()


@pytest.fixture
def remote(web: WebServer, tmp_path: Path) -> Iterator[RemoteWorkers]:
    started = RemoteWorkers(web, tmp_path)
    yield started
    started.kill_all()


@pytest.fixture
def wanted() -> dict[str, Any]:
    """What a worker asks for."""
    return {"pool": "low", "types": ["transcode"], "count": 1, "version": 1, "name": "test:1"}
