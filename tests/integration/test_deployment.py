"""What a deployment is made of, judged by its real parsers and by running it."""

import json
import re
import secrets
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import load_command_class

from jobs.priorities import parse_pools
from tests.clamd_server import limits_of_clamd
from tests.production import (
    PROGRAMS,
    PROJECT,
    SCANNED,
    documented,
    environment,
    in_files,
    manage,
    run,
)
from tests.waiting import wait_until
from tests.workers import Workers, database_url

DOCKERFILE = (PROJECT / "Dockerfile").read_text()
OURS = ("web", "worker_high", "worker_low")
SECRETS = {"SECRET_KEY": "k" * 50, "DB_PASSWORD": "hush"}


def _procfile() -> dict[str, str]:
    return dict(re.findall(r"^(\w+): (.+)$", (PROJECT / "Procfile").read_text(), re.MULTILINE))


def test_production_passes_all_checks(tmp_path: Path) -> None:
    values = in_files(tmp_path, SECRET_KEY=secrets.token_urlsafe(50))
    finished = manage("check", "--deploy", "--fail-level", "WARNING", **values, **SCANNED)
    assert finished.returncode == 0, finished.stderr
    assert "no issues" in finished.stdout


def test_production_logs_json_one_object_a_line() -> None:
    bound = {"job_id": "j-1", "pool": "high", "worker": "w:1", "attempt": 2}
    talk = f"""
import logging, django, structlog
django.setup()
structlog.contextvars.bind_contextvars(**{bound})
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("jobs.worker").exception("job.raised")
logging.getLogger("django").warning("two\\nlines, %s", "and a value")
"""
    values = {"DJANGO_SETTINGS_MODULE": "mediaproc.settings"}
    finished = run(sys.executable, "-c", talk, values=values)
    raised, warned = (json.loads(line) for line in finished.stdout.splitlines())
    assert (raised["event"], raised["level"]) == ("job.raised", "error")
    assert "ZeroDivisionError" in raised["exception"]
    assert (warned["event"], warned["level"]) == ("two\nlines, and a value", "warning")
    for line in (raised, warned):
        assert line["timestamp"].endswith("Z")
        assert bound.items() <= line.items()


def test_the_procfile_names_every_process() -> None:
    pools = {f"worker_{pool}" for pool in parse_pools(settings.POOLS)}
    assert set(_procfile()) == {"web", "release"} | pools


@pytest.mark.parametrize("name", ["worker_high", "worker_low", "release"])
def test_a_command_of_the_procfile_parses(name: str) -> None:
    words = [word for word in shlex.split(_procfile()[name]) if word != "exec"]
    python, script, command, *arguments = words
    assert (python, script) == ("python", "manage.py")
    app = "jobs" if command == "run_workers" else "django.core"
    parsed = load_command_class(app, command).create_parser("manage.py", command)
    parsed.parse_args(arguments)
    if name != "release":
        assert name == f"worker_{parsed.parse_args(arguments).queue[0]}"


def test_gunicorn_takes_the_options_of_the_procfile() -> None:
    finished = run("sh", "-c", f"{_procfile()['web']} --check-config")
    assert finished.returncode == 0, finished.stderr


def test_hadolint_has_nothing_to_say() -> None:
    finished = run(str(PROGRAMS / "hadolint"), "Dockerfile")
    assert finished.returncode == 0, finished.stdout


def test_no_image_runs_as_root() -> None:
    base, *images = re.split(r"^FROM .*$", DOCKERFILE, flags=re.MULTILINE)[2:]
    assert len(images) == 2
    for stage in (base, *images):
        users = re.findall(r"^USER (.+)$", stage, re.MULTILINE)
        assert not users or users[-1] == "10001:10001"
    assert re.search(r"^USER 10001", base, re.MULTILINE)


# What INSTALLED_APPS has of our own, and the deployment itself.
ROOMS = {"accounts", "jobs", "mediaproc", "webhooks"}


def test_the_image_gets_what_the_code_needs_and_no_secrets() -> None:
    assert {name for name in settings.INSTALLED_APPS if (PROJECT / name).exists()} < ROOMS
    first, *admitted = [
        line.removeprefix("!")
        for line in (PROJECT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith(("#", "**"))
    ]
    assert first == "*"
    assert {"requirements.txt", "manage.py", "Procfile", *ROOMS} == set(admitted)
    for name in admitted:
        assert (PROJECT / name).exists()


def _compose(
    folder: Path, values: dict[str, str], *arguments: str
) -> "subprocess.CompletedProcess[str]":
    """docker-compose on a copy, so that a .env beside the original does not reach it."""
    (folder / "docker-compose.yml").write_text((PROJECT / "docker-compose.yml").read_text())
    return run(str(PROGRAMS / "docker-compose"), "config", *arguments, values=values, folder=folder)


@pytest.fixture
def services(tmp_path: Path) -> dict[str, Any]:
    """The services as docker-compose understands them."""
    finished = _compose(tmp_path, SECRETS, "--format", "json")
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    found: dict[str, Any] = json.loads(finished.stdout)["services"]
    return found


@pytest.mark.parametrize("missing", SECRETS)
def test_compose_does_not_start_without_its_secrets(missing: str, tmp_path: Path) -> None:
    finished = _compose(tmp_path, SECRETS | {missing: ""}, "-q")
    assert finished.returncode != 0
    assert f"required variable {missing} is missing a value: set it in .env" in finished.stderr


def test_compose_runs_the_documented_services(services: dict[str, Any]) -> None:
    assert set(services) == {"postgres", "redis", "migrate", *OURS}
    assert services["postgres"]["image"].startswith("postgres:15")
    assert services["redis"]["image"].startswith("redis:7")
    [port] = services["web"]["ports"]
    assert (port["published"], port["target"], port["host_ip"]) == ("8000", 8000, "127.0.0.1")
    for name in ("worker_high", "worker_low"):
        assert services[name]["command"] == shlex.split(_procfile()[name].removeprefix("exec "))
    assert services["migrate"]["command"] == shlex.split(_procfile()["release"])


def test_compose_scans_on_demand_with_the_documented_limits(tmp_path: Path) -> None:
    finished = _compose(tmp_path, SECRETS | {"COMPOSE_PROFILES": "scanner"}, "--format", "json")
    scanner = json.loads(finished.stdout)["services"]["clamav"]
    told = {
        name.removeprefix("CLAMD_CONF_"): value for name, value in scanner["environment"].items()
    }
    assert told == limits_of_clamd()
    assert told["AlertExceedsMax"] == "yes"
    assert {volume["source"] for volume in scanner["volumes"]} == {"signatures"}


def test_compose_migrates_once_and_first(services: dict[str, Any]) -> None:
    for name in OURS:
        condition = services[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["migrate"]["restart"] == "no"


def test_compose_keeps_data_and_lets_jobs_end(services: dict[str, Any]) -> None:
    def volumes(name: str) -> set[str]:
        return {volume["source"] for volume in services[name]["volumes"]}

    assert volumes("postgres") == {"database"}
    assert all(volumes(name) == {"media"} for name in OURS)
    for name in ("worker_high", "worker_low"):
        grace = int(services[name]["stop_grace_period"].removesuffix("s"))
        assert grace > float(documented()["WORKER_GRACE_SECONDS"]) + 5


def test_every_lasting_service_has_a_health_check(services: dict[str, Any]) -> None:
    assert "test" in services["postgres"]["healthcheck"]
    assert "test" in services["redis"]["healthcheck"]
    for name in OURS:
        stage = DOCKERFILE.split(f" AS {services[name]['build']['target']}\n")[1]
        kind = name.partition("_")[0]
        assert f'CMD ["python", "-m", "mediaproc.healthcheck", "{kind}"]' in stage


@pytest.fixture
def web(transactional_db: None) -> Iterator[dict[str, str]]:
    """The web server as its image starts it, in production, and the environment it has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    values = environment(
        PORT=str(port), BIND_HOST="127.0.0.1", DATABASE_URL=database_url(), BEHIND_PROXY="True"
    )
    command = json.loads(DOCKERFILE.rpartition("\nCMD ")[2])
    started = subprocess.Popen(command, cwd=PROJECT, env=values, stdout=subprocess.DEVNULL)
    yield values
    started.terminate()
    assert started.wait(60) == 0


def _unhealthy(kind: str, values: dict[str, str]) -> str:
    """The one line of a health check that fails; blank when it does not."""
    finished = run(sys.executable, "-m", "mediaproc.healthcheck", kind, values=values)
    assert (finished.returncode, finished.stderr.count("\n")) in {(0, 0), (1, 1)}
    return finished.stderr


def test_the_health_check_of_the_web_image(web: dict[str, str]) -> None:
    wait_until(lambda: not _unhealthy("web", web), "the web server is healthy")
    assert "bad_host" in _unhealthy("web", web | {"ALLOWED_HOSTS": "elsewhere.example.org"})
    assert "Connection refused" in _unhealthy("web", web | {"PORT": "1"})


def test_the_health_check_of_the_worker_image(workers: Workers) -> None:
    values = environment(DATABASE_URL=workers.database_url, JOB_LEASE_SECONDS="2")
    workers.start("--queue", "low")
    assert _unhealthy("worker", values) == ""
    workers.kill_all()
    said = wait_until(lambda: _unhealthy("worker", values), "a killed worker is unhealthy")
    assert "no worker process of" in said
