"""Who takes part in `make bench`: one module a contender."""

from bench.contenders import (
    awa,
    celery,
    django_tasks_db,
    graphile_worker,
    mediaproc,
    oban,
    pg_boss,
    pgqueuer,
    procrastinate,
)

OWN = mediaproc.CONTENDER
PEERS = (
    graphile_worker.CONTENDER,
    pgqueuer.CONTENDER,
    pg_boss.CONTENDER,
    awa.CONTENDER,
    oban.CONTENDER,
    celery.CONTENDER,
    procrastinate.CONTENDER,
    django_tasks_db.CONTENDER,
)
