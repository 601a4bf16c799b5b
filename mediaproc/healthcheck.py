"""What a container's health check runs: `python -m mediaproc.healthcheck web|worker`.

web: the health address of the API answers 200. worker: a worker process of this host has been heard
of within one lease time. Exit code 0 when all is well, else 1 after one line.
"""

import argparse
import http.client
import os
import sys
from datetime import timedelta

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

_HEALTH = "/api/v1/jobs/health"
_TIMEOUT_SECONDS = 10


class Unhealthy(Exception):
    """The process does not do its work; the message says what is seen of it."""


def main() -> int:
    """Exit code."""
    parser = argparse.ArgumentParser(prog="python -m mediaproc.healthcheck", description=__doc__)
    parser.add_argument("kind", choices=_CHECKS)
    kind = parser.parse_args().kind
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    try:
        _CHECKS[kind]()
    except (Unhealthy, ImproperlyConfigured, DatabaseError, OSError) as error:
        print(f"{kind}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def _check_web() -> None:
    address = ("127.0.0.1", int(os.environ.get("PORT") or 8000))
    connection = http.client.HTTPConnection(*address, timeout=_TIMEOUT_SECONDS)
    # As a proxy would ask on behalf of a client that is allowed to.
    headers = {"Host": _allowed_host(), "X-Forwarded-Proto": "https"}
    try:
        connection.request("GET", _HEALTH, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    except http.client.HTTPException as error:
        raise Unhealthy(f"no HTTP answer: {error}") from error
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise Unhealthy(f"{answer.status} {body.decode(errors='replace')}")


def _allowed_host() -> str:
    for pattern in settings.ALLOWED_HOSTS:
        if pattern != "*":
            return str(pattern).removeprefix(".")
    return "localhost"


def _check_worker() -> None:
    django.setup()
    from django.db.models.functions import Now

    from jobs.models import WorkerProcess
    from jobs.worker.presence import process_name

    host, _, _ = process_name().rpartition(":")
    seconds = settings.JOB_LEASE_SECONDS
    since = Now() - timedelta(seconds=seconds)
    if not WorkerProcess.objects.filter(name__startswith=f"{host}:", seen_at__gt=since).exists():
        raise Unhealthy(f"no worker process of {host} was heard of in the last {seconds:g} s")


_CHECKS = {"web": _check_web, "worker": _check_worker}


if __name__ == "__main__":
    sys.exit(main())
