"""An embedded server that cannot be says why in one line."""

import os
import subprocess
from pathlib import Path

import pytest

from mediaproc import embedded_postgres
from mediaproc.embedded_postgres import EmbeddedPostgresError
from mediaproc.embedded_postgres.home import find_home
from tests.postgres_server import (
    assert_nothing_runs,
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


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
    assert_nothing_runs(root)


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
