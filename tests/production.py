"""Subprocesses in a production environment: nothing of the test run's own, nothing of a .env."""

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent

_VARIABLE = re.compile(r"^#([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


# What keeps a deployment free of warnings.
SCANNED = {"SCANNER": "clamd+unix:///run/clamav/clamd.sock", "MEDIA_MAX_OUTPUT_MB": "2047"}


def documented() -> dict[str, str]:
    """Every variable of .env.example with the default that stands there."""
    return dict(_VARIABLE.findall((PROJECT / ".env.example").read_text()))


def environment(**values: str) -> dict[str, str]:
    """What a deployment sets at least, and `values`. Blank counts as not set, also over a .env."""
    return {
        **dict.fromkeys(documented(), ""),
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "media.example.org",
        **values,
    }


def in_files(folder: Path, **secrets: str) -> dict[str, str]:
    """What a deployment sets that has these in files, which others cannot read."""
    values: dict[str, str] = {}
    for name, value in secrets.items():
        file = folder / name
        file.write_text(value)
        file.chmod(0o440)
        values |= {name: "", f"{name}_FILE": str(file)}
    return values


def run(
    *command: str, values: Mapping[str, str] | None = None, folder: Path = PROJECT
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, with `values` in its environment."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(**(values or {})),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def manage(*arguments: str, **values: str) -> "subprocess.CompletedProcess[str]":
    """Run manage.py to its end."""
    return run(sys.executable, "manage.py", *arguments, values=values)
