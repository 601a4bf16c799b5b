"""The database functions of the queue: installed after every migrate, from the files beside this.

They follow the code, not the migrations: `migrate` of a release brings that release's functions.
Workers of the release before still call them during a deployment, so a function keeps its name and
its arguments; one that must change them gets a new name (docs/adr/0006-server-side-step.md).
"""

from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

FUNCTIONS = {
    "jobs_complete": Path(__file__).with_name("complete.sql"),
    "jobs_finish": Path(__file__).with_name("finish.sql"),
    "jobs_claim": Path(__file__).with_name("claim.sql"),
    "jobs_step": Path(__file__).with_name("step.sql"),
    "jobs_at_limit": Path(__file__).with_name("throttle.sql"),
    "jobs_throttled_keys": Path(__file__).with_name("throttle.sql"),
    "jobs_release_of": Path(__file__).with_name("throttle.sql"),
    "jobs_release": Path(__file__).with_name("throttle.sql"),
    "jobs_tell": Path(__file__).with_name("outbox.sql"),
    "jobs_step_ageing": Path(__file__).with_name("ageing.sql"),
    "jobs_claim_typed": Path(__file__).with_name("claim_typed.sql"),
}


def install_functions(*, using: str = DEFAULT_DB_ALIAS, **_signal: Any) -> None:
    """Create or replace the functions; drop them where migrations went back before the table."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if "jobs_job" in connection.introspection.table_names(cursor):
            for path in dict.fromkeys(FUNCTIONS.values()):
                cursor.execute(path.read_text())
        else:
            for name in reversed(FUNCTIONS):
                cursor.execute(f"DROP FUNCTION IF EXISTS {name}")
