"""Hostile and ordinary requests by the OpenAPI document, against the real server.

In the suite the seed fixes what is asked, and nothing ends it early. `make fuzz` goes on for
FUZZ_SECONDS, with FUZZ_EXAMPLES of each operation at a time; FUZZ_SEED asks for others.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.contrib.auth.models import User

from accounts.models import Token
from accounts.scopes import READ, SCOPES, SUBMIT
from tests.accounts import user_named
from tests.fuzzing import fuzz
from tests.production import PROGRAMS, PROJECT, environment
from tests.service import free_port
from tests.waiting import wait_until
from tests.workers import database_url

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "3"))
SECONDS = int(os.environ.get("FUZZ_SECONDS", "0"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
# What takes the scopes of staff and of remote workers.
OF_STAFF = (
    r"/pools|/jobs/(dead-letter|retry|replay|lease)$"
    r"|/jobs/\{job_id\}/(progress|complete|fail|release|lease)"
)


@pytest.fixture
def server(transactional_db: None, media_root: Path) -> Iterator[str]:
    """gunicorn in production, but by plain http; nobody is anonymous."""
    (media_root / "sources" / "video.mp4").write_bytes(b"as the document's examples name it")
    port = free_port()
    values = environment(
        PORT=str(port),
        BIND_HOST="127.0.0.1",
        ALLOWED_HOSTS="127.0.0.1",
        DATABASE_URL=database_url(),
        MEDIA_ROOT=str(media_root),
        SECURE_SSL_REDIRECT="False",
        SIMULATE_MISSING_SOURCES="True",
        REQUESTS_PER_MIN_LIMIT="1000000",
        ALLOW_REGISTRATION="True",
        WEBHOOK_ALLOW_PRIVATE="True",
        LOG_LEVEL="WARNING",
    )
    command = [str(PROGRAMS / "gunicorn"), "--config", "mediaproc/web_server.py", "mediaproc.wsgi"]
    started = subprocess.Popen(command, cwd=PROJECT, env=values, stdout=sys.stdout)
    url = f"http://127.0.0.1:{port}/api/v1"

    def up() -> bool:
        try:
            return httpx.get(f"{url}/jobs/types", timeout=30).is_success
        except httpx.TransportError:
            return False

    try:
        wait_until(up, "the server answers")
        yield url
    finally:
        started.terminate()
        started.wait(60)


@pytest.mark.processes
@pytest.mark.timeout(2 * SECONDS + 600)
def test_no_request_breaks_the_server_or_the_document(server: str, tmp_path: Path) -> None:
    # Of staff, who have no limit of requests, but without their scope.
    users = {name: user_named(name, is_staff=True) for name in ("alice", "bob", "admin")}
    peers = {name: _token(users[name], SUBMIT, READ) for name in ("alice", "bob")}
    admin = {"admin": _token(users["admin"], *SCOPES)}

    for name, tokens, seconds, only in (
        ("peers", peers, SECONDS * 2 // 3, ""),
        ("admin", admin, SECONDS // 3, OF_STAFF),
    ):
        said = fuzz(
            server,
            tokens,
            tmp_path / name,
            examples=EXAMPLES,
            seed=SEED,
            seconds=seconds,
            only=only,
        )
        assert said.returncode == 0, said.stdout[-20_000:] + said.stderr[-2_000:]
        assert "Stateful" in said.stdout


def _token(user: User, *scopes: str) -> str:
    _, token = Token.objects.create(user, scopes=list(scopes), lives_on=True)
    return str(token)
