"""The client is a package of its own: httpx and rich, nothing of the server."""

import subprocess
import sys

from tests.service import PROJECT

_IMPORTED = """
import sys
import mediaproc.client.__main__
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_importing_it_imports_no_server() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTED],
        cwd=PROJECT,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert {"httpx", "rich", "mediaproc"} <= imported
    assert not imported & {"django", "jobs", "psycopg", "pydantic", "rest_framework", "structlog"}
