"""Run the tests on every other supported Python, Django and PostgreSQL that is on this machine.

    python scripts/matrix.py [ARGUMENTS OF PYTEST]

What is not here is named and skipped. Exit code 1 when a run failed.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

PROJECT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = PROJECT / ".venv-matrix"
UV = PROJECT / ".uv" / "bin" / "uv"
PYTHONS = ("3.11", "3.12", "3.13")
DJANGO_6 = "django>=6,<7"
DJANGO_6_PYTHONS = ("3.13", "3.12")
POSTGRESQL_15 = Path("/usr/lib/postgresql/15/bin")


@dataclass(frozen=True)
class Row:
    """One run: with `python`, or skipped for a reason."""

    name: str
    python: str = ""
    extra: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    skipped: str = ""


def rows() -> Iterator[Row]:
    current = "{}.{}".format(*sys.version_info)
    for version in PYTHONS:
        if version != current:
            yield _python_row(f"Python {version}", version)
    newest = next((each for each in DJANGO_6_PYTHONS if find_python(each)), None)
    if newest is None:
        yield Row("Django 6", skipped="it takes Python 3.12 or later, and none is here")
    else:
        yield Row(f"Django 6, Python {newest}", find_python(newest), extra=DJANGO_6)
    if POSTGRESQL_15.exists():
        environment = {
            "EMBEDDED_POSTGRES_BIN": str(POSTGRESQL_15),
            "TEST_POSTGRES_ROOT": str(PROJECT / ".postgres-matrix-15"),
        }
        yield Row("PostgreSQL 15", sys.executable, environment=environment)
    else:
        yield Row("PostgreSQL 15", skipped=f"there is no {POSTGRESQL_15}")


def _python_row(name: str, version: str) -> Row:
    python = find_python(version)
    return Row(name, python, skipped="" if python else f"there is no python{version}")


def find_python(version: str) -> str:
    """A `version` of Python that runs: on PATH, or one of pyenv's that is not switched on.

    An empty string when there is none.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = which(f"python{version}")
    pyenvs = [str(path) for path in pyenv.glob(f"{version}.*/bin/python{version}")]
    for candidate in ([on_path] if on_path else []) + pyenvs:
        tried = subprocess.run([candidate, "-c", ""], capture_output=True, check=False)
        if tried.returncode == 0:
            return candidate
    return ""


def passes(row: Row, arguments: list[str]) -> bool:
    """Make the row's environment, unless it is this one, and run pytest in it."""
    steps = []
    python = row.python
    if python != sys.executable:
        venv = ENVIRONMENTS / row.name.lower().replace(", ", "-").replace(" ", "-")
        python = str(venv / "bin" / "python")
        make = [row.python, "scripts/environment.py", "requirements-dev.txt", "--venv", str(venv)]
        steps.append(make)
    if row.extra:
        steps.append([str(UV), "pip", "install", "--quiet", "--python", python, row.extra])
    steps.append([python, "-m", "pytest", *arguments])
    environment = {**os.environ, **row.environment}
    return all(
        subprocess.run(step, cwd=PROJECT, env=environment, check=False).returncode == 0
        for step in steps
    )


def main() -> int:
    outcomes = {}
    for row in rows():
        print(f"\n=== {row.name}", flush=True)
        if row.skipped:
            outcomes[row.name] = f"SKIPPED: {row.skipped}"
        else:
            outcomes[row.name] = "passed" if passes(row, sys.argv[1:]) else "FAILED"
    print()
    for name, outcome in outcomes.items():
        print(f"{name:<24}{outcome}")
    return int("FAILED" in outcomes.values())


if __name__ == "__main__":
    sys.exit(main())
