"""schemathesis against a server that runs, as users who must not see each other's, or as one."""

import json
import subprocess
from pathlib import Path

from tests import fuzz_rules
from tests.production import PROGRAMS

# What ends the tokens that the run is made with.
_APART = r"/auth/(logout|logoutall|me/tokens/\{token_id\}|me/otp/confirm)$"
# The rules that are no schema's stand in fuzz_rules. A limit of tries or of jobs, and what is not
# there or not in the state for it, may be met anywhere.
# Of several steps each.
SCENARIOS = 10
_SETTINGS = """
hooks = "{hooks}"

[auth.wfc]
path = "{users}"
{peers}

[generation]
allow-x00 = false
max-examples = {examples}

[phases.stateful.generation]
max-examples = {scenarios}

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "429"]
"""


def fuzz(
    url: str,
    tokens: dict[str, str],
    folder: Path,
    *,
    examples: int,
    seed: int = 1,
    seconds: int = 0,
    only: str = "",
) -> "subprocess.CompletedProcess[str]":
    """Every phase and every check, with so many examples an operation; the seed fixes them.

    seconds: go on with other examples until they are over; 0: once is enough. only: a pattern of
    addresses; the other ones are not asked.
    """
    folder.mkdir()
    users = folder / "users.yaml"
    users.write_text(json.dumps({"auth": [_user(*each) for each in tokens.items()]}))
    peers = f"peers = {json.dumps(list(tokens))}" if len(tokens) > 1 else ""
    (folder / "schemathesis.toml").write_text(
        _SETTINGS.format(
            hooks=fuzz_rules.__file__,
            users=users,
            peers=peers,
            examples=examples,
            scenarios=SCENARIOS * examples,
        )
    )
    options = {
        "--phases": "examples,coverage,fuzzing,stateful",
        "--checks": "all",
        "--seed": str(seed),
        "--exclude-path-regex": _APART,
        "--request-timeout": "60",
        **({"--max-time": str(seconds)} if seconds else {}),
        **({"--include-path-regex": only} if only else {}),
    }
    command = [str(PROGRAMS / "schemathesis"), "run", f"{url}/schema", "--continue-on-failure"]
    return subprocess.run(
        [*command, "--no-color", *(word for option in options.items() for word in option)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def _user(name: str, token: str) -> dict[str, object]:
    header = {"name": "Authorization", "value": f"Token {token}"}
    return {"name": name, "fixedHeaders": [header]}
