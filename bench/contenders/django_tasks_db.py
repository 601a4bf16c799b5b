"""django-tasks-db."""

from bench.contenders.interpreters import python_script
from bench.contenders.peer import Mode, Peer

CONTENDER = Peer(
    name="django-tasks-db",
    includes="claim, then result row, each committed per job; at most once",
    command=python_script("django_tasks_db_jobs"),
    modes={
        "four": Mode(600, "4 processes"),
        "best": Mode(1_500, "1 process"),
    },
    unfinished="SELECT EXISTS (SELECT FROM django_tasks_database_dbtaskresult"
    " WHERE status IN ('READY', 'RUNNING'))",
    done="SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status = 'SUCCESSFUL'",
    bulk=False,
    # It has no signal; its poll interval is set to this.
    pause=0.05,
)
