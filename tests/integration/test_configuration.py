"""Configuration: refused in words when it is wrong, and documented as it is read."""

import ast
import json
import re
import sys

import pytest

from mediaproc.environment import SECRETS
from tests.production import PROJECT, documented, manage, run

EMBEDDED = {
    "EMBEDDED_POSTGRES_ROOT",
    "EMBEDDED_POSTGRES_BIN",
}  # read by mediaproc.embedded_postgres
SHOW_SETTINGS = (
    "import json, mediaproc.settings as s;"
    "print(json.dumps({name: repr(getattr(s, name)) for name in dir(s) if name.isupper()}))"
)


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set"),
        ("DATABASE_URL", "mysql://user:hush@host/name", "must be a postgres:// address"),
        ("DATABASE_URL", "user:hush@host/name", "must be a postgres:// address"),
        ("DATABASE_URL", "postgres://user:hush@host:port/name", "DATABASE_URL cannot be read"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT is 'xml'; it must be json or console"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud'"),
        ("DEBUG", "ture", "DEBUG is 'ture'; it must be True or False"),
        ("JOB_LEASE_SECONDS", "30s", "JOB_LEASE_SECONDS is '30s'; it must be a number"),
        ("JOB_LEASE_SECONDS", "nan", "JOB_LEASE_SECONDS is 'nan'; it must be finite"),
        ("JOB_MAX_LOST_LEASES", "2.5", "JOB_MAX_LOST_LEASES is '2.5'; it must be a whole number"),
        ("EMAIL_URL", "http://user:hush@host", "EMAIL_URL must be smtp://"),
        ("EMAIL_URL", "smtp://user:hush@host:port", "EMAIL_URL must be smtp://"),
        ("EMAIL_URL", "smtp://user:hush@", "EMAIL_URL must be smtp://"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    variable: str, value: str, complaint: str
) -> None:
    finished = manage("run_workers", **{variable: value})
    assert finished.returncode == 1
    [line] = finished.stderr.splitlines()
    assert line.startswith("mediaproc: ")
    assert complaint in line
    assert "hush" not in line


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("POOLS", "high=7-10:4", "leaves priorities [0, 1, 2, 3, 4, 5, 6] without a pool"),
        ("PROCESSORS", "jobs.processors.nothing.Nothing", "No module named"),
        ("JOB_LEASE_SECONDS", "0", "JOB_LEASE_SECONDS must be above 0"),
        ("MEDIA_SANDBOX", "jail", "MEDIA_SANDBOX is 'jail'"),
        ("JOB_RETENTION", "completed=30", "JOB_RETENTION entry 'completed=30' is not status=time"),
        ("WEBHOOK_CONCURRENT_LIMIT", "-1", "WEBHOOK_CONCURRENT_LIMIT must not be negative"),
        ("STATS_RETENTION_DAYS", "0", "STATS_RETENTION_DAYS must be above 0"),
        ("MEDIA_MAX_PIXELS", "0", "MEDIA_MAX_PIXELS must be above 0"),
        ("EMAIL_TIMEOUT", "0", "EMAIL_TIMEOUT must be above 0"),
        ("SCANNER_TIMEOUT", "0", "SCANNER_TIMEOUT must be above 0"),
        ("SCANNER", "scanner:3310", "SCANNER is 'scanner:3310'; it must be clamd://host:port"),
        ("DEFAULT_FROM_EMAIL", "nobody", "DEFAULT_FROM_EMAIL is 'nobody'"),
        ("SIMULATE_SECONDS_HIGH", "5-3", "SIMULATE_SECONDS_HIGH is '5-3'"),
        ("SIMULATE_SECONDS_LOW", "long", "SIMULATE_SECONDS_LOW is 'long'"),
    ],
)
def test_what_makes_no_sense_keeps_workers_from_starting(
    variable: str, value: str, complaint: str
) -> None:
    finished = manage("run_workers", **{variable: value})
    assert finished.returncode == 1
    assert complaint in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("password", ["$ecret", "a b%c#d", "geheim-ß"])
def test_a_password_is_what_it_says(password: str) -> None:
    show = "from mediaproc.settings import DATABASES as d; print(ascii(d['default']['PASSWORD']))"
    values = {"DB_HOST": "db.example.org", "DB_PASSWORD": password}
    finished = run(sys.executable, "-c", show, values=values)
    assert finished.stdout.strip() == ascii(password), finished.stderr


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("smtp://mail", ["mail", 25, "", "", False, False]),
        ("smtp+tls://mail", ["mail", 587, "", "", True, False]),
        ("smtp+ssl://a%40b:p+%24@mail", ["mail", 465, "a@b", "p+$", False, True]),
        ("smtp://[::1]:1025", ["::1", 1025, "", "", False, False]),
    ],
)
def test_the_address_of_a_mail_server(address: str, server: list[object]) -> None:
    names = ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL")
    show = (
        "import json, mediaproc.settings as s;"
        f"print(json.dumps([getattr(s, 'EMAIL_' + name) for name in {names}]))"
    )
    finished = run(sys.executable, "-c", show, values={"EMAIL_URL": address})
    assert json.loads(finished.stdout) == server, finished.stderr


def test_both_kinds_of_encryption_are_one_too_many() -> None:
    finished = manage("run_workers", EMAIL_USE_TLS="True", EMAIL_USE_SSL="True")
    assert finished.returncode == 1
    assert "EMAIL_USE_TLS and EMAIL_USE_SSL are both on" in finished.stderr


def test_the_documented_variables_are_those_that_are_read() -> None:
    read = set(EMBEDDED)
    for module in ("settings.py", "database.py", "web_server.py"):
        for node in ast.walk(ast.parse((PROJECT / "mediaproc" / module).read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="env")),
                    args=[ast.Constant(value=str(name))],
                ):
                    read.add(name)
    assert {"SECRET_KEY", "POOLS", "DB_PASSWORD", "PORT"} <= read
    assert set(SECRETS) < read
    assert set(documented()) == read | {f"{name}_FILE" for name in SECRETS}


def test_the_documented_defaults_are_the_real_ones() -> None:
    assert _settings() == _settings(**documented())
    assert _settings(DB_HOST="db") == _settings(**documented() | {"DB_HOST": "db"})
    assert _web_server() == _web_server(**documented())


def test_the_readme_says_the_same_as_the_example() -> None:
    rows = re.findall(
        r"^\| `([A-Z][A-Z0-9_]*)` \| (?:`(.*?)` )?\|",
        (PROJECT / "README.md").read_text(),
        re.MULTILINE,
    )
    assert dict(rows) == documented()
    assert len(rows) == len(documented())


def _web_server(**values: str) -> str:
    """What gunicorn is told."""
    values["SECRET_KEY"] = "the same " * 6
    show = "import mediaproc.web_server as w; print(w.bind, w.threads)"
    finished = run(sys.executable, "-c", show, values=values)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def _settings(**values: str) -> dict[str, str]:
    """All settings as production has them, with a key that does not change."""
    values["SECRET_KEY"] = "the same " * 6
    values["ALLOWED_HOSTS"] = ""
    finished = run(sys.executable, "-c", SHOW_SETTINGS, values=values)
    assert finished.returncode == 0, finished.stderr
    shown: dict[str, str] = json.loads(finished.stdout)
    del shown["LOGGING"]  # it holds objects, and is made of LOG_FORMAT and LOG_LEVEL
    return shown
