"""A web server with a media store, and remote workers without a database."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts.models import Token
from accounts.scopes import WORK
from tests.accounts import user_named
from tests.films import make_film
from tests.web import WebServer
from tests.workers import PROJECT, WorkerUnderTest, database_url


@pytest.fixture(scope="session")
def _served(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[WebServer, Path]]:
    """One server for all tests, and its media store: a short film, and one that takes seconds to
    become a webm."""
    folder = tmp_path_factory.mktemp("served")
    store = folder / "media"
    (store / "sources").mkdir(parents=True)
    make_film(store, "short.mp4", 1)
    make_film(store, "long.mp4", 12)
    # Long enough for a busy machine to renew, and short for those who wait for its end.
    server = WebServer(database_url(), store, folder / "web.log", JOB_LEASE_SECONDS="5")
    yield server, store
    server.stop()


@pytest.fixture
def store(_served: tuple[WebServer, Path], settings: Settings) -> Path:
    """The media store of the web server and of this process, without outputs."""
    _, root = _served
    shutil.rmtree(root / "outputs", ignore_errors=True)
    settings.MEDIA_ROOT = root
    return root


@pytest.fixture
def web(transactional_db: None, _served: tuple[WebServer, Path], store: Path) -> WebServer:
    server, _ = _served
    server.token = token_of(user_named("staff", is_staff=True))
    return server


def token_of(user: User, *scopes: str) -> str:
    """A new token, for a worker where nothing else is said."""
    _, token = Token.objects.create(user, scopes=list(scopes or (WORK,)))
    return str(token)


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
            "REMOTE_WORKER_TOKEN": self._web.token,
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
