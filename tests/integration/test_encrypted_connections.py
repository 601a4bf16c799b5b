"""Connections to other machines: what the deployment's checks say, and what PostgreSQL does."""

import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.core import checks
from pytest_django.fixtures import Settings

from mediaproc.embedded_postgres.account import Account, server_account
from tests.certificates import Authority, Files
from tests.production import PROJECT, SCANNED, environment, in_files, manage
from tests.service import free_port
from tests.waiting import wait_until

# The programs of the wheel are built without TLS.
PROGRAMS = Path("/usr/lib/postgresql/15/bin")
ENCRYPTED = {"jobs.W007": "DATABASE_URL", "jobs.W008": "REDIS_URL", "jobs.W009": "Mail"}


def warned() -> set[str]:
    found = checks.run_checks(tags=["jobs"], include_deployment_checks=True)
    return {one.id for one in found if one.id in ENCRYPTED}


@pytest.mark.parametrize(
    ("host", "options", "is_warned"),
    [
        ("db.example.org", {}, True),
        ("db.example.org", {"sslmode": "require"}, True),
        ("db.example.org", {"sslmode": "verify-ca"}, True),
        ("db.example.org", {"sslmode": "verify-full"}, False),
        ("localhost,10.0.0.2", {}, True),
        ("localhost", {"hostaddr": "10.0.0.2"}, True),
        ("127.0.0.1,::1,localhost", {}, False),
        ("/var/run/postgresql", {}, False),
        ("", {}, False),
    ],
)
def test_the_database(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    options: dict[str, Any],
    is_warned: bool,
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "HOST", host)
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", options)
    settings.LISTEN_DATABASE_URL = ""
    assert ("jobs.W007" in warned()) == is_warned


def test_where_workers_listen(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LISTEN_DATABASE_URL = "postgres://user@db.example.org/name"
    assert warned() == {"jobs.W007"}
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert warned() == set()
    settings.LISTEN_DATABASE_URL += "?sslmode=prefer"
    assert warned() == {"jobs.W007"}


@pytest.mark.parametrize(
    ("address", "is_warned"),
    [
        ("redis://cache.example.org:6379/0", True),
        ("rediss://cache.example.org:6379/0?ssl_cert_reqs=none", True),
        ("rediss://cache.example.org:6379/0?ssl_check_hostname=False", True),
        ("rediss://cache.example.org:6379/0", False),
        ("redis://127.0.0.1:6379/0", False),
        ("unix:///run/redis.sock", False),
        ("", False),
    ],
)
def test_redis(settings: Settings, address: str, is_warned: bool) -> None:
    settings.REDIS_URL = address
    assert ("jobs.W008" in warned()) == is_warned


def test_a_deployment_is_told_by_name_and_remedy(tmp_path: Path) -> None:
    open_ones = {
        "DATABASE_URL": "postgres://u:hush@db.example.org/n",
        "REDIS_URL": "redis://:hush@cache.example.org/0",
        "EMAIL_URL": "smtp://u:hush@mail.example.org",
    }
    told = manage("check", "--deploy", **open_ones).stderr
    assert all(each in told for pair in ENCRYPTED.items() for each in pair)
    assert all(remedy in told for remedy in ("sslmode=verify-full", "rediss://", "smtp+tls://"))
    assert "hush" not in told
    closed = {
        "DATABASE_URL": "postgres://u:hush@db.example.org/n?sslmode=verify-full",
        "REDIS_URL": "rediss://:hush@cache.example.org/0",
        "EMAIL_URL": "smtp+tls://u:hush@mail.example.org",
    }
    files = in_files(tmp_path, SECRET_KEY=secrets.token_urlsafe(50), **closed)
    finished = manage("check", "--deploy", "--fail-level", "WARNING", **files, **SCANNED)
    assert finished.returncode == 0, finished.stderr


class Encrypted:
    """A PostgreSQL with TLS at 127.0.0.1, which takes `alice` by certificate alone."""

    def __init__(self, folder: Path, account: Account, authority: Authority) -> None:
        self.port = free_port()
        self._data = folder / "data"
        self._account = account
        self._programs = PROGRAMS
        self._data.mkdir(mode=0o700)
        account.give(self._data)
        self._run("initdb", "-D", str(self._data), "-U", "alice", "-A", "trust", "--no-sync")
        server = authority.issue("server")
        for file in (authority.file.certificate, *server):
            account.give(file)
        (self._data / "pg_hba.conf").write_text("hostssl all alice 127.0.0.1/32 cert\n")
        (self._data / "postgresql.conf").write_text(
            f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
            f"ssl = on\nssl_cert_file = '{server.certificate}'\nssl_key_file = '{server.key}'\n"
            f"ssl_ca_file = '{authority.file.certificate}'\nfsync = off\n"
        )
        self.process = subprocess.Popen(
            [str(self._programs / "postgres"), "-D", str(self._data)],
            cwd=self._data,
            stderr=(folder / "log").open("wb"),
            **account.popen_arguments(),
        )
        wait_until(self._listens, "PostgreSQL listens")

    def ask(self, mode: str, root: Path, client: Files | None = None) -> Any:
        """Whether the connection is encrypted, and whose it is. Raises OperationalError."""
        told = f"host=127.0.0.1 port={self.port} user=alice dbname=postgres"
        told += f" sslmode={mode} sslrootcert={root}"
        if client:
            told += f" sslcert={client.certificate} sslkey={client.key}"
        with psycopg.connect(told) as connection:
            return connection.execute(
                "SELECT ssl, current_user FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            ).fetchone()

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self._data,
            capture_output=True,
            check=True,
            **self._account.popen_arguments(),
        )

    def _listens(self) -> bool:
        assert self.process.poll() is None
        try:
            psycopg.connect(host="127.0.0.1", port=self.port, user="nobody", dbname="postgres")
        except psycopg.OperationalError as error:
            return "no pg_hba.conf entry" in str(error)
        return True


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the server's account can enter, which pytest's own are not for root's."""
    made = Path(tempfile.mkdtemp(prefix="mediaproc-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.skipif(not PROGRAMS.is_dir(), reason=f"there is no {PROGRAMS}")
def test_postgresql_is_who_its_certificate_says_and_so_are_we(folder: Path) -> None:
    ours, other = Authority(folder, "ours"), Authority(folder, "other")
    alice, bob, forged = ours.issue("alice"), ours.issue("bob"), other.issue("forged")
    server = Encrypted(folder, server_account(folder / "data"), ours)
    try:
        assert server.ask("verify-full", ours.file.certificate, alice) == (True, "alice")
        for root, client, complaint in (
            (other.file.certificate, alice, "certificate verify failed"),
            (ours.file.certificate, None, "valid client certificate"),
            (ours.file.certificate, bob, "certificate authentication failed"),
            (ours.file.certificate, forged, "unknown ca"),
        ):
            with pytest.raises(psycopg.OperationalError, match=complaint):
                server.ask("verify-full", root, client)
        with pytest.raises(psycopg.OperationalError, match="no encryption"):
            server.ask("disable", ours.file.certificate)
        address = (
            f"postgres://alice@127.0.0.1:{server.port}/postgres?sslmode=verify-full"
            f"&sslrootcert={ours.file.certificate}&sslcert={alice.certificate}&sslkey={alice.key}"
        )
        key = in_files(folder, SECRET_KEY=secrets.token_urlsafe(50)) | SCANNED
        assert manage("migrate", DATABASE_URL=address, **key).returncode == 0
        told = manage("check", "--deploy", "--fail-level", "WARNING", DATABASE_URL=address, **key)
        assert told.returncode == 0, told.stderr
        assert manage("migrate", DATABASE_URL=address.replace("alice.", "bob.")).returncode == 1
    finally:
        server.process.terminate()
        server.process.wait()


def test_the_web_server_takes_its_proxy_alone(tmp_path: Path) -> None:
    """gunicorn's own options, as docs/security.md has them. It answers that it has no database."""
    ours, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
    server, proxy, forged = ours.issue("server"), ours.issue("proxy"), other.issue("forged")
    port = free_port()
    options = (
        f"--certfile {server.certificate} --keyfile {server.key}"
        f" --ca-certs {ours.file.certificate} --cert-reqs 2"
    )
    values = environment(
        PORT=str(port),
        BIND_HOST="127.0.0.1",
        DATABASE_URL="postgres://127.0.0.1:1/none",
        GUNICORN_CMD_ARGS=options,
    )
    command = ["gunicorn", "--config", "mediaproc/web_server.py", "mediaproc.wsgi"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=PROJECT, env=values, stdout=log, stderr=log)

    def ask(authority: Authority, client: Files | None) -> list[int]:
        context = ssl.create_default_context(cafile=str(authority.file.certificate))
        if client:
            context.load_cert_chain(*client)
        with httpx.Client(verify=context, headers={"Host": "media.example.org"}) as asking:
            address = f"https://127.0.0.1:{port}/api/v1/auth/session"
            return [asking.get(address).status_code for _ in range(2)]

    try:
        wait_until(lambda: _accepts(port, process), "the web server listens")
        assert ask(ours, proxy) == [503, 503]
        for authority, client in ((ours, None), (ours, forged), (other, proxy)):
            with pytest.raises(httpx.TransportError):
                ask(authority, client)
    finally:
        process.terminate()
        process.wait()


def _accepts(port: int, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True
