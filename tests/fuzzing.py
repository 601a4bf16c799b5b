"""schemathesis against a server that runs, as users who must not see each other's, or as one."""

import json
import subprocess
from pathlib import Path

from tests.production import PROGRAMS

# What ends the tokens that the run is made with.
_APART = r"/auth/(logout|logoutall|me/tokens/\{token_id\}|me/otp/confirm)$"
_SETTINGS = r"""
[auth.wfc]
path = "{users}"
{peers}

[generation]
allow-x00 = false

# A limit of tries or of jobs may be met anywhere.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "429"]

# What no JSON schema says: what a job type wants of its fields, a cron expression and a zone, that
# moments and limits agree, where a callback or a webhook may go.
[[operations]]
include-operation-id = ["submit_job", "post_jobs", "job_batches", "post_schedules",
                        "patch_one_schedule", "post_endpoints", "patch_one_endpoint"]
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404", "409", "422", "429"]

# A cursor is signed, and filters of metadata have names of the client's own. Of many jobs at once
# at least one filter is wanted. A pool, a version and a lease are known ones. A signed key is.
# A password is a good one and not like the name; a code is what the mail says.
[[operations]]
include-operation-id = ["get_jobs", "retry_jobs", "replay_jobs", "lease_jobs",
                        "leased_output", "register", "confirm", "password", "login", "post_tokens",
                        "otp", "otp_remove", "recovery_codes", "password_reset",
                        "password_reset_confirm"]
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404", "409", "411", "429"]

# DELETE of a job that is not final cancels it: it is there afterwards, and should be.
[[operations]]
include-path-regex = '/jobs?/\{{job_id\}}(/events|/status)?$'
[operations.checks.use_after_free]
enabled = false
"""


def fuzz(
    url: str,
    tokens: dict[str, str],
    folder: Path,
    *,
    examples: int,
    seconds: int,
    only: str = "",
) -> "subprocess.CompletedProcess[str]":
    """Every phase and every check with a fixed seed, within so many seconds.

    only: a pattern of addresses; the other ones are not asked.
    """
    folder.mkdir()
    users = folder / "users.yaml"
    users.write_text(json.dumps({"auth": [_user(*each) for each in tokens.items()]}))
    peers = f"peers = {json.dumps(list(tokens))}" if len(tokens) > 1 else ""
    (folder / "schemathesis.toml").write_text(_SETTINGS.format(users=users, peers=peers))
    options = {
        "--phases": "examples,coverage,fuzzing,stateful",
        "--max-examples": str(examples),
        "--checks": "all",
        "--seed": "1",
        "--max-time": str(seconds),
        "--exclude-path-regex": _APART,
        "--request-timeout": "10",
        **({"--include-path-regex": only} if only else {}),
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
