"""A real clamd on a free port of 127.0.0.1 and a unix socket, with a signature of the test's."""

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.service import PROJECT, free_port
from tests.waiting import wait_until

PROGRAM = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")
needs_clamd = pytest.mark.skipif(PROGRAM is None, reason="clamd is not installed (clamav-daemon)")

MARKER = b"mediaproc-harmless-test-marker"
SIGNATURE = "Mediaproc.Test.Marker.UNOFFICIAL"
MEBIBYTE = 1024 * 1024

_CONFIGURATION = """
Foreground yes
DatabaseDirectory {folder}
LocalSocket {socket}
TCPSocket {port}
TCPAddr 127.0.0.1
TemporaryDirectory {folder}
MaxThreads 4
{limits}
"""
_LIMITS = """
AlertExceedsMax yes
StreamMaxLength 20M
MaxFileSize 19M
"""


def limits_of_clamd() -> dict[str, str]:
    """Those that docs/scanning.md demands."""
    page = (PROJECT / "docs" / "scanning.md").read_text()
    lines = page.partition("```\nStream")[2].partition("```")[0].splitlines()
    return dict(line.split() for line in [f"Stream{lines[0]}", *lines[1:]])


class ClamdServer:
    """Can be stopped and started again at the same addresses.

    folder: its path is short. marker: what is malware to it. limits: lines of its configuration.
    """

    def __init__(self, folder: Path, marker: bytes = MARKER, limits: str = _LIMITS) -> None:
        self.port = free_port()
        self.socket = folder / "clamd.sock"
        self._configuration = folder / "clamd.conf"
        self._process: subprocess.Popen[bytes] | None = None
        # Of any file, anywhere in it.
        (folder / "test.ndb").write_text(f"Mediaproc.Test.Marker:0:*:{marker.hex()}\n")
        self._configuration.write_text(
            _CONFIGURATION.format(folder=folder, socket=self.socket, port=self.port, limits=limits)
        )

    @property
    def tcp(self) -> str:
        """SCANNER."""
        return f"clamd://127.0.0.1:{self.port}"

    @property
    def unix(self) -> str:
        """SCANNER by the socket."""
        return f"clamd+unix://{self.socket}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        assert PROGRAM is not None
        self._process = subprocess.Popen(
            [PROGRAM, f"--config-file={self._configuration}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, "clamd answers")

    def stop(self) -> None:
        """SIGKILL; absent is fine."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self.socket.unlink(missing_ok=True)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "clamd ended"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"zPING\0")
                return connection.recv(16) == b"PONG\0" and self.socket.exists()
        except OSError:
            return False
