"""Settings of the test run: a PostgreSQL of its own, short waits, a database of its own per run."""

import os
from pathlib import Path

from mediaproc import embedded_postgres
from mediaproc.environment import SECRETS

PROJECT = Path(__file__).resolve().parent.parent

# A developer's own .env may name files.
os.environ.update({f"{name}_FILE": "" for name in SECRETS})
os.environ.update(
    DEBUG="False",
    SECRET_KEY="of-the-tests-" * 4,
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    SECURE_SSL_REDIRECT="False",
    ALLOW_ANONYMOUS="True",
    SECOND_FACTOR="nobody",
    REQUESTS_PER_MIN_LIMIT="0",
    LOG_FORMAT="json",
    PROCESSORS=",".join(
        (
            "jobs.processors.simulate.simulate",
            "jobs.processors.transcode.transcode",
            "jobs.processors.send_email.send_email",
            "tests.processors.noop",
            "tests.processors.urgent",
            "tests.processors.hold",
            "tests.processors.fail",
            "tests.processors.remember",
            "tests.processors.die",
            "tests.processors.script",
            "tests.saboteurs.sabotage",
            "tests.saboteurs.report",
        )
    ),
    JOB_LEASE_SECONDS="2",
    JOB_RETRY_DELAY_SECONDS="0.1",
    JOB_RETRY_SCAN_SECONDS="0.3",
    WORKER_POLL_SECONDS="0.5",
    WORKER_GRACE_SECONDS="5",
    SIMULATE_SECONDS_HIGH="0.1-0.2",
    SIMULATE_SECONDS_LOW="0.2-0.3",
)
if "TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
else:
    root = Path(os.environ.get("TEST_POSTGRES_ROOT", PROJECT / ".postgres-test"))
    os.environ["DATABASE_URL"] = embedded_postgres.start(root).url

from mediaproc.settings import *  # noqa: E402, F403 - the environment comes first
from mediaproc.settings import DATABASES  # noqa: E402

# Real ones are slow on purpose, and most tests have a user.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Two runs on one server do not meet.
DATABASES["default"]["TEST"] = {"NAME": f"test_mediaproc_{os.getpid()}"}
