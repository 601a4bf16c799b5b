"""Django's settings for django-tasks-db."""

import os
from importlib.util import find_spec

from psycopg.conninfo import conninfo_to_dict

from bench.peers.common import URL

SECRET_KEY = "of-the-benchmark"  # noqa: S105 - nothing is signed with it
USE_TZ = True
DEBUG = False
INSTALLED_APPS = ["django_tasks_db"]
if not find_spec("django.tasks"):
    INSTALLED_APPS.insert(0, "django_tasks")
_PARTS = conninfo_to_dict(URL)
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _PARTS["dbname"],
        "USER": _PARTS["user"],
        "HOST": _PARTS["host"],
        "PORT": _PARTS["port"],
        # Django's default is a connection a job; workers that keep theirs are four times as fast.
        "CONN_MAX_AGE": None if os.environ.get("BENCH_KEEP_CONNECTIONS") else 0,
    }
}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
