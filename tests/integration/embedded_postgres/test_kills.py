"""The embedded server, killed in every way and brought back with what was committed."""

import os
import signal
import subprocess
from pathlib import Path

import psutil
import psycopg
import pytest

from mediaproc import embedded_postgres
from mediaproc.embedded_postgres import Server
from mediaproc.embedded_postgres.account import server_account
from mediaproc.embedded_postgres.binaries import find_folder, usable_by
from mediaproc.embedded_postgres.home import find_home
from tests.postgres_server import (
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


def test_kill_9_of_its_only_client_stops_it(root: Path) -> None:
    client = client_of(root)
    first_line(client)
    client.kill()
    client.communicate()
    assert_nothing_runs(root)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_restart_keeps_what_was_committed(server: Server, mode: str) -> None:
    word = write(server.url)
    before = server.pid
    server.restart("fast" if mode == "fast" else "immediate")
    assert server.pid != before
    assert is_kept(server.url, word)


def test_a_crashed_server_is_started_again(server: Server) -> None:
    word = write(server.url)
    server.crash()
    server.ensure()
    assert is_kept(server.url, word)


def test_outage_lasts_as_long_as_the_block(server: Server) -> None:
    with server.outage(), pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url)
    assert query(server.url, "SELECT 1") == 1


def test_a_lost_socket_comes_back(server: Server) -> None:
    for path in server.host.iterdir():
        path.unlink()
    server.host.rmdir()
    wait_until(server.host.exists, "the socket is back")
    server.ensure()
    assert query(server.url, "SELECT 1") == 1


def test_kill_9_of_the_keeper_leaves_no_server_behind_and_ensure_brings_it_back(
    server: Server,
) -> None:
    keeper, postmaster = server.keeper_pid, server.pid
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: server.pid is None, "the server is gone")
    server.ensure()
    assert server.keeper_pid not in (None, keeper)
    assert server.pid not in (None, postmaster)


def test_kill_9_of_everything_and_a_new_start(root: Path) -> None:
    client = client_of(root)
    first_line(client)
    word = write(embedded_postgres.url(root))
    for process in [*processes(root), client]:
        process.kill()
    client.communicate()
    with embedded_postgres.start(root) as server:
        assert is_kept(server.url, word)


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
            assert query(server.url, "SELECT 1") == 1
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
    programs = usable_by(server_account(home.data), home, find_folder())
    command = [programs.postgres, "-D", str(home.data), "-c", "unix_socket_directories="]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, user=user) as orphan:
        wait_until(home.postmaster_pid.exists, "the orphan has begun")
        with embedded_postgres.start(root) as again:
            assert orphan.wait(STOP_SECONDS) == 0
            assert again.pid != orphan.pid


def test_a_start_killed_during_initdb_is_made_good(new_root: Path) -> None:
    client = client_of(new_root)
    home = find_home(new_root)
    wait_until((home.path / "data.unfinished" / "PG_VERSION").exists, "initdb has begun")
    for process in [*processes(new_root), client]:
        process.kill()
    client.communicate()
    assert not home.data.exists()
    with embedded_postgres.start(new_root) as server:
        assert query(server.url, "SELECT 1") == 1
