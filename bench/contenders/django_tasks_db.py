"""django-tasks-db."""

from bench.contenders.interpreters import python_script
from bench.contenders.peer import Mode, Peer

CONTENDER = Peer(
    name="django-tasks-db",
    includes="claim, then result row, each committed per job; at most once",
    command=python_script("django_tasks_db_jobs"),
    modes={
        "four": Mode(800, "4 processes, Django's ordinary connections"),
        "best": Mode(2_000, "4 processes, CONN_MAX_AGE=None"),
    },
    unfinished="SELECT EXISTS (SELECT FROM django_tasks_database_dbtaskresult"
    " WHERE status IN ('READY', 'RUNNING'))",
    done="SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status = 'SUCCESSFUL'",
    bulk=False,
    # It has no signal; its poll interval is set to this.
    pause=0.05,
)
