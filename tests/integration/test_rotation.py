"""Passwords that a vault changes under running processes."""

import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.core.mail import get_connection, send_mail
from pytest_django.fixtures import Settings
from redis import Redis
from redis.exceptions import RedisError

from jobs.queue import redis_signal
from jobs.queue.signal import _publisher
from mediaproc import embedded_postgres
from mediaproc.embedded_postgres.home import find_home
from tests.postgres_server import query, temporary_root
from tests.redis_server import RedisServer
from tests.service import free_port
from tests.smtp_server import Mailbox
from tests.waiting import wait_until
from tests.web import WebServer
from tests.workers import PROJECT, Workers, environment_of

JOB = {"source_file": "film.mp4", "target_format": "webm"}


class Deployment:
    """PostgreSQL that wants passwords, a web server and a worker of files with secrets."""

    def __init__(self, server: embedded_postgres.Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.socket = str(embedded_postgres.socket_directory(server.root))
        self.web: WebServer | None = None
        self.worker: subprocess.Popen[bytes] | None = None
        self.log = folder / "worker.log"

    def sql(self, text: LiteralString, *values: str) -> object:
        """As the server's own user, who needs no password."""
        return query(self.server.url, text, *values)

    def address(self, role: str, password: str, options: str = "") -> str:
        return f"postgres://{role}:{password}@/mediaproc?host={self.socket}&port=5432{options}"

    def store(self, name: str, text: str) -> str:
        """Write a secret as a vault's agent does: by a rename. The path."""
        new = self.folder / f"{name}.new"
        new.write_text(f"{text}\n")
        new.chmod(0o400)
        return str(new.rename(self.folder / name))

    def start(self, **values: str) -> None:
        """Migrate, and start one web server and one worker process."""
        common = values | {"SIMULATE_MISSING_SOURCES": "True"}
        environment = environment_of("") | common | {"MEDIA_ROOT": str(self.folder)}
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=PROJECT, env=environment, check=True)
        command = [sys.executable, "manage.py", "run_workers"]
        with self.log.open("wb") as log:
            self.worker = subprocess.Popen(
                command, cwd=PROJECT, env=environment, stdout=log, stderr=log
            )
        self.web = WebServer("", self.folder, self.folder / "web.log", **common)
        wait_until(self.listens, "the worker listens")

    def stop(self) -> None:
        if self.web:
            self.web.stop()
        if self.worker:
            self.worker.send_signal(signal.SIGKILL)
            self.worker.wait()

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        assert self.web is not None
        return self.web.call(method, path, **options)

    def listens(self) -> bool:
        """Whether the worker says that it hears PostgreSQL."""
        answer = self.call("GET", "jobs/health")
        return answer.is_success and answer.json()["wakeup"] == {"postgresql": {"up": 1}}

    def does_a_job(self) -> None:
        """From its submission by HTTP to its end. A thread of the web server whose session was
        ended meanwhile says 503 once, and is asked again as clients do."""
        path = f"job/{wait_until(self._submitted, 'a job is taken')}/status"
        wait_until(
            lambda: self.call("GET", path).json().get("status") == "COMPLETED", "the job is done"
        )

    def _submitted(self) -> str:
        """The id of a new job; "" while the database is away."""
        answer = self.call("POST", "submit_job", json=JOB)
        assert answer.status_code in {httpx.codes.CREATED, httpx.codes.SERVICE_UNAVAILABLE}
        return str(answer.json()["job_id"]) if answer.is_success else ""

    def logged(self, event: str) -> bool:
        return f'"event": "{event}"' in self.log.read_text()


def hang_up(deployment: Deployment, role: str) -> None:
    """End the sessions that it has."""
    deployment.sql(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s", role
    )


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with temporary_root() as root, embedded_postgres.start(root) as server:
        access = find_home(root).data / "pg_hba.conf"
        access.write_text("local all mediaproc trust\nlocal all all scram-sha-256\n")
        query(server.url, "SELECT pg_reload_conf()")
        made = Deployment(server, tmp_path)
        try:
            yield made
        finally:
            made.stop()


@pytest.mark.processes
def test_passwords_change_under_running_processes(deployment: Deployment) -> None:
    for role in ("app", "ears"):
        deployment.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'first'")
    deployment.sql("ALTER DATABASE mediaproc OWNER TO app")
    deployment.start(
        DB_HOST=deployment.socket,
        DB_NAME="mediaproc",
        DB_USER="app",
        DB_PASSWORD_FILE=deployment.store("db", "first"),
        LISTEN_DATABASE_URL_FILE=deployment.store("ears", deployment.address("ears", "first")),
    )
    deployment.does_a_job()
    # A file that is not there for a moment, and a password that is another before the file says so:
    # outages like any other.
    (deployment.folder / "db").unlink()
    for role in ("app", "ears"):
        deployment.sql(f"ALTER ROLE {role} PASSWORD 'second'")
        hang_up(deployment, role)
    wait_until(lambda: deployment.logged("database.lost"), "the worker is shut out")
    wait_until(lambda: deployment.logged("wakeup.lost"), "the worker hears nothing")
    assert "DB_PASSWORD_FILE is" in deployment.log.read_text()
    assert deployment.call("POST", "submit_job", json=JOB).status_code == 503
    deployment.store("db", "first")
    assert deployment.call("POST", "submit_job", json=JOB).status_code == 503
    deployment.store("db", "second")
    deployment.store("ears", deployment.address("ears", "second"))
    wait_until(lambda: deployment.logged("database.recovered"), "the worker is back")
    wait_until(lambda: deployment.logged("wakeup.recovered"), "the worker hears again")
    deployment.does_a_job()
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
    assert deployment.sql(f"{sessions} AND application_name = 'mediaproc listener'", "ears") == 1
    assert deployment.worker is not None
    assert deployment.worker.poll() is None


@pytest.mark.processes
def test_a_role_that_ends_is_followed_by_another(deployment: Deployment) -> None:
    """As a vault does it that makes a role for each lease; the tables are another role's."""
    options = "&assume_role=app"
    deployment.sql("CREATE ROLE app")
    deployment.sql("ALTER DATABASE mediaproc OWNER TO app")
    deployment.sql("CREATE ROLE lease_1 LOGIN PASSWORD 'first' IN ROLE app")
    path = deployment.store("database", deployment.address("lease_1", "first", options))
    deployment.start(DATABASE_URL_FILE=path)
    deployment.does_a_job()
    deployment.sql("CREATE ROLE lease_2 LOGIN PASSWORD 'second' IN ROLE app")
    deployment.store("database", deployment.address("lease_2", "second", options))
    deployment.sql("ALTER ROLE lease_1 NOLOGIN")
    hang_up(deployment, "lease_1")
    deployment.sql("DROP ROLE lease_1")
    wait_until(deployment.listens, "the worker listens")
    deployment.does_a_job()
    assert deployment.worker is not None
    assert deployment.worker.poll() is None


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.mark.processes
def test_the_password_of_redis_changes(
    workers: Workers, redis: RedisServer, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "redis"
    channel = redis_signal.channel()

    def rotate(password: str) -> Redis:
        administration.config_set("requirepass", password)
        file.write_text(f"redis://:{password}@127.0.0.1:{redis.port}/0\n")
        administration.client_kill_filter(skipme=True)
        return Redis(port=redis.port, password=password)

    administration = Redis(port=redis.port)
    administration = rotate("first")
    settings.SECRET_FILES = {"REDIS_URL": str(file)}
    workers.start(REDIS_URL_FILE=str(file), WAKEUP_NOTIFY="False")

    def subscribed() -> bool:
        return dict(administration.pubsub_numsub(channel)) == {channel.encode(): 1}

    wait_until(subscribed, "the worker is subscribed")
    publish = _publisher()
    publish("low")
    administration = rotate("second")
    wait_until(subscribed, "the worker is subscribed again")
    with pytest.raises(RedisError):
        publish("low")  # on the connection that was
    publish("low")


def test_the_password_of_the_mail_server_changes(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "mail"
    right = b"first"
    mailbox = Mailbox(free_port())

    def knows(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"u@h", right), handled=False)

    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=mailbox.port,
        authenticator=knows,
        auth_required=True,
        auth_require_tls=False,
    )

    def send() -> None:
        send_mail("a", "b", "from@example.org", ["to@example.org"])

    settings.EMAIL_BACKEND = "mediaproc.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port
    settings.SECRET_FILES = {"EMAIL_URL": str(file)}
    controller.start()
    try:
        file.write_text("smtp://u%40h:first@127.0.0.1\n")
        send()
        right = b"second"
        with pytest.raises(smtplib.SMTPAuthenticationError):
            send()
        file.write_text("smtp://u%40h:second@127.0.0.1\n")
        send()
        right = b"third"
        (tmp_path / "third").write_text("third")
        settings.SECRET_FILES = {"EMAIL_HOST_PASSWORD": str(tmp_path / "third")}
        settings.EMAIL_HOST_USER = "u@h"
        send()
        (tmp_path / "third").unlink()
        with pytest.raises(smtplib.SMTPException, match="No such file"), get_connection():
            pass
    finally:
        controller.stop()
    assert len(mailbox.to("to@example.org")) == 3
