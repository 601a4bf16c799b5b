"""schemathesis against a server that runs, as two users who must not see each other's."""

import json
import subprocess
from pathlib import Path

from tests.production import PROGRAMS

# What ends the tokens that the run is made with, and what is no operation.
_APART = r"/auth/(logout|logoutall|me/password|me/tokens|login|session|register|confirm)"
_SETTINGS = """
[auth.wfc]
path = "{users}"
peers = ["alice", "bob"]

# What a job type wants of its parameters, a cron expression, a cursor: no JSON schema says it.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404", "409", "422"]

# DELETE of a job that is not final cancels it: it is there afterwards, and should be.
[[operations]]
include-path-regex = '/jobs?/\\{{job_id\\}}'
[operations.checks]
use_after_free.enabled = false

[generation]
allow-x00 = false
"""


def fuzz(
    url: str, tokens: dict[str, str], folder: Path, *, examples: int, seconds: int
) -> "subprocess.CompletedProcess[str]":
    """Every phase and every check with a fixed seed, within so many seconds."""
    users = folder / "users.yaml"
    users.write_text(json.dumps({"auth": [_user(*each) for each in tokens.items()]}))
    (folder / "schemathesis.toml").write_text(_SETTINGS.format(users=users))
    options = {
        "--phases": "examples,coverage,fuzzing,stateful",
        "--max-examples": str(examples),
        "--checks": "all",
        "--seed": "1",
        "--max-time": str(seconds),
        "--exclude-path-regex": _APART,
        "--request-timeout": "10",
    }
    command = [str(PROGRAMS / "schemathesis"), "run", f"{url}/schema", "--continue-on-failure"]
    return subprocess.run(
        [*command, "--no-color", *(word for option in options.items() for word in option)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 60,
    )


def _user(name: str, token: str) -> dict[str, object]:
    header = {"name": "Authorization", "value": f"Token {token}"}
    return {"name": name, "fixedHeaders": [header]}
