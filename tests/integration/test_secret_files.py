"""Secrets in files: what is read of them, what is refused, and what the deployment's checks say."""

import sys
from pathlib import Path

import pytest

from mediaproc.environment import SECRETS
from tests.production import SCANNED, in_files, manage, run

ADDRESS = "postgres://u:hush@localhost/n"
MAIL = "smtp://u:hush@localhost"
SHOWN = {
    "SECRET_KEY": ("s.SECRET_KEY", "hush"),
    "SECRET_KEY_FALLBACKS": ("s.SECRET_KEY_FALLBACKS", ["hush"]),
    "DATABASE_URL": ("s.DATABASES['default']['PASSWORD']", "hush"),
    "DB_PASSWORD": ("s.DATABASES['default']['PASSWORD']", "hush"),
    "LISTEN_DATABASE_URL": ("s.LISTEN_DATABASE_URL", ADDRESS),
    "REDIS_URL": ("s.REDIS_URL", "redis://:hush@localhost/0"),
    "EMAIL_URL": ("s.EMAIL_HOST_PASSWORD", "hush"),
    "EMAIL_HOST_PASSWORD": ("s.EMAIL_HOST_PASSWORD", "hush"),
    "REMOTE_WORKER_TOKEN": ("s.REMOTE_WORKER_TOKEN", "hush"),
}
ADDRESSES = {
    "DATABASE_URL": ADDRESS,
    "LISTEN_DATABASE_URL": ADDRESS,
    "REDIS_URL": "redis://:hush@localhost/0",
    "EMAIL_URL": MAIL,
}
# Without a place to go its password is not asked for.
BESIDE = {"DB_PASSWORD": {"DB_HOST": "localhost"}}


def test_every_secret_may_be_in_a_file() -> None:
    assert set(SHOWN) == set(SECRETS)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_file_is_read_without_the_end_of_its_line(tmp_path: Path, ending: str) -> None:
    for name, (expression, expected) in SHOWN.items():
        if ending and name != "SECRET_KEY":
            continue  # one way for all of them: the others once
        show = f"import mediaproc.settings as s; print(repr({expression}))"
        values = in_files(tmp_path, **{name: ADDRESSES.get(name, "hush") + ending})
        finished = run(sys.executable, "-c", show, values=BESIDE.get(name, {}) | values)
        assert finished.stdout.strip() == repr(expected), finished.stderr


@pytest.mark.parametrize("command", [["run_workers"], ["check"]])
def test_one_way_and_not_two(tmp_path: Path, command: list[str]) -> None:
    values = in_files(tmp_path, SECRET_KEY="hush") | {"SECRET_KEY": "hush"}
    finished = manage(*command, **values)
    assert finished.returncode == 1
    [line] = finished.stderr.splitlines()
    assert "SECRET_KEY and SECRET_KEY_FILE are both set" in line
    assert "hush" not in line


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        (None, "No such file or directory"),
        (b"", "it is empty"),
        (b"\n", "it is empty"),
        (b"SECRET_KEY=hush\nDEBUG=True\n", "it has several lines"),
        (b"hush\xff\xfe", "it is no UTF-8 text"),
    ],
)
def test_a_file_without_a_secret_is_refused_in_one_line(
    tmp_path: Path, written: bytes | None, complaint: str
) -> None:
    file = tmp_path / "secret"
    if written is not None:
        file.write_bytes(written)
    values = {"DATABASE_URL_FILE": str(file)}
    for finished in (
        manage("run_workers", **values),
        run("gunicorn", "--config", "mediaproc/web_server.py", "mediaproc.wsgi", values=values),
    ):
        assert finished.returncode == 1
        [line] = finished.stderr.splitlines()
        assert line.startswith(
            f"mediaproc: DATABASE_URL_FILE is '{file}', where there is no secret"
        )
        assert complaint in line
        assert "hush" not in line


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    finished = manage("check", SECRET_KEY="", SECRET_KEY_FILE=str(tmp_path))
    assert "Is a directory" in finished.stderr


def test_a_deployment_is_told_of_secrets_in_its_environment(tmp_path: Path) -> None:
    values = {"DATABASE_URL": ADDRESS, "REDIS_URL": ADDRESSES["REDIS_URL"], "EMAIL_URL": MAIL}
    told = manage("check", "--deploy", **values).stderr
    for name in values:
        assert f"(jobs.W010) {name} is in the environment" in told
    assert "(jobs.W010) SECRET_KEY is in the environment" in told
    assert told.count("cannot change without a restart") == len(values)
    assert "hush" not in told
    files = in_files(tmp_path, **values, SECRET_KEY="k" * 50)
    keyless = {"LISTEN_DATABASE_URL": "postgres://u@localhost/n?sslcert=a&sslkey=b"}
    finished = manage("check", "--deploy", **files | keyless | SCANNED)
    assert "jobs.W01" not in finished.stderr, finished.stderr


def test_a_deployment_is_told_of_files_that_others_can_read(tmp_path: Path) -> None:
    values = in_files(tmp_path, SECRET_KEY="k" * 50)
    (tmp_path / "SECRET_KEY").chmod(0o444)
    told = manage("check", "--deploy", **values).stderr
    assert f"(jobs.W011) SECRET_KEY_FILE: every user of this machine may read {tmp_path}" in told
    assert "chmod o=" in told
