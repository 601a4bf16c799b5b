"""What `make run` tells when the service answers: what is where, and a line to try."""

import http.client
import os
from pathlib import Path

from mediaproc import embedded_postgres

_PROJECT = Path(__file__).resolve().parent.parent
_HEALTH = "/api/v1/jobs/health"
_EXAMPLE = '{"source_file": "video.mp4", "target_format": "avi", "priority": "high"}'


def _address() -> tuple[str, int]:
    host = os.environ["BIND_HOST"]
    return ("127.0.0.1" if host == "0.0.0.0" else host), int(os.environ["PORT"])  # noqa: S104


def responds() -> bool:
    """Whether the web server answers yet, whatever it says."""
    connection = http.client.HTTPConnection(*_address(), timeout=5)
    try:
        connection.request("GET", _HEALTH)
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def banner(server: embedded_postgres.Server | None, seconds: float) -> str:
    """`seconds` is how long the processes took to answer."""
    host, port = _address()
    web = f"http://{host}:{port}"
    media = _PROJECT / os.environ.get("MEDIA_ROOT", "media")
    database = "as DATABASE_URL or DB_HOST say"
    if server is not None:
        database = f"{server.url}\n              its log is {server.log}"
    return f"""
mediaproc is up; web and workers took {seconds:.1f} s

  api         {web}/api/v1/
  health      {web}{_HEALTH}
  database    {database}
  media       {media} (sources/ and outputs/)
  stop        Ctrl-C

Try it:

  curl -s -X POST {web}/api/v1/submit_job -H 'Content-Type: application/json' \\
    -d '{_EXAMPLE}'

A user for the admin at {web}/admin/:

  DEBUG=True .venv/bin/python manage.py createsuperuser
"""
