"""Run one plan in a process of its own: Django knows one database a process."""

import json
import signal
import subprocess
import sys
from typing import Any

from tests.service import PROJECT

# Building the stage, draining and judging, beside the load.
OVERHEAD_SECONDS = 300.0
_CLEAN_SECONDS = 60.0


class Broken(Exception):
    """A run gave no report; the text is what it said."""


def report_of(*arguments: str, load_seconds: float) -> dict[str, Any]:
    """What `make chaos ARGS="... --json"` reports. Raises Broken."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos", "--json", *arguments],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said, told = process.communicate(timeout=load_seconds + OVERHEAD_SECONDS)
    except subprocess.TimeoutExpired:
        raise Broken(f"it did not end:\n{_interrupted(process)}") from None
    if not said.startswith("{"):
        raise Broken(told)
    report: dict[str, Any] = json.loads(said)
    return report


def _interrupted(process: subprocess.Popen[str]) -> str:
    """End it as Ctrl-C does, so that it takes its workers with it; what it had told."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=_CLEAN_SECONDS)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[1]
