"""What is asked of clamd, and what counts as an answer."""

import os
import socket
import tempfile
from pathlib import Path

import pytest

from jobs.scan.address import parse_address
from jobs.scan.clamd import LARGEST, scan
from jobs.scan.errors import MalwareFound, ScanUnavailable, Stopped, Unreachable
from tests.clamd_server import (
    MARKER,
    MEBIBYTE,
    SIGNATURE,
    ClamdServer,
    limits_of_clamd,
    needs_clamd,
)
from tests.integration.scan.conftest import listening, silent


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "-y.mp4 FOUND"
    path.write_bytes(b"harmless")
    return path


def ask(scanner: str, path: Path, *, seconds: float = 60.0, stops_after: int = 10**9) -> None:
    """Scan the file. stops_after: how often it is asked whether to stop."""
    asked = iter(range(stops_after))
    with path.open("rb") as opened:
        scan(
            parse_address(scanner),
            opened,
            seconds=seconds,
            stop=lambda: next(asked, None) is None,
        )


@needs_clamd
@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_what_clamd_knows_is_found_wherever_it_stands(
    clamd: ClamdServer, file: Path, kind: str
) -> None:
    scanner: str = getattr(clamd, kind)
    ask(scanner, file)
    for before in (0, 262_144 - 5, 10 * MEBIBYTE):  # also across two chunks
        file.write_bytes(os.urandom(before) + MARKER + b"more")
        with pytest.raises(MalwareFound) as caught:
            ask(scanner, file)
        assert caught.value.signature == SIGNATURE
        assert SIGNATURE in str(caught.value)
    file.write_bytes(b"")
    ask(scanner, file)


@needs_clamd
@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_what_is_too_large_for_it_is_not_clean(clamd: ClamdServer, file: Path, kind: str) -> None:
    scanner: str = getattr(clamd, kind)
    file.write_bytes(bytes(20 * MEBIBYTE - 100))  # below StreamMaxLength, above MaxFileSize
    with pytest.raises(ScanUnavailable, match=r"Heuristics\.Limits\.Exceeded\.MaxFileSize"):
        ask(scanner, file)
    with file.open("ab") as opened:
        opened.truncate(64 * MEBIBYTE)
    # By TCP the answer may be lost with the connection that it closes.
    with pytest.raises(ScanUnavailable, match=r"size limit exceeded|does not serve|hung up"):
        ask(scanner, file)
    with file.open("ab") as opened:
        opened.truncate(LARGEST + 1)
    with pytest.raises(ScanUnavailable, match="2 GiB"):
        ask(scanner, file)


@needs_clamd
def test_the_documented_limits_let_large_files_be_scanned(file: Path) -> None:
    limits = "\n".join(" ".join(line) for line in limits_of_clamd().items())
    with tempfile.TemporaryDirectory() as folder:
        server = ClamdServer(Path(folder), limits=limits)
        server.start()
        try:
            with file.open("ab") as opened:
                opened.truncate(101 * MEBIBYTE)  # more than it would read by its defaults
            ask(server.unix, file)
            with file.open("ab") as opened:
                opened.write(MARKER)
            with pytest.raises(MalwareFound):
                ask(server.unix, file)
        finally:
            server.stop()


def test_nobody_is_there(clamd_nowhere: tuple[str, str], file: Path) -> None:
    for scanner in clamd_nowhere:
        with pytest.raises(Unreachable):
            ask(scanner, file)


@pytest.fixture
def clamd_nowhere(tmp_path: Path) -> tuple[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return f"clamd://127.0.0.1:{port}", "clamd+unix:///nowhere/clamd.sock"


def test_a_scan_is_stopped_wherever_it_is(file: Path) -> None:
    file.write_bytes(bytes(8 * MEBIBYTE))
    with silent() as scanner:
        for asked in (0, 1, 5, 100):
            with pytest.raises(Stopped):
                ask(scanner, file, stops_after=asked)


def test_a_scan_has_an_end(file: Path) -> None:
    with silent() as scanner, pytest.raises(ScanUnavailable, match="SCANNER_TIMEOUT") as caught:
        ask(scanner, file, seconds=0.3)
    assert not isinstance(caught.value, Unreachable)


def test_who_takes_nothing_is_not_waited_for(file: Path) -> None:
    with file.open("ab") as opened:
        opened.truncate(64 * MEBIBYTE)

    def deaf(connection: socket.socket) -> None:
        released.recv(1)

    released, release = socket.socketpair()
    with (
        released,
        listening(deaf) as scanner,
        release,
        pytest.raises(ScanUnavailable, match="SCANNER_TIMEOUT"),
    ):
        ask(scanner, file, seconds=0.3)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"", "hung up"),
        (b"stream: OK", "hung up"),
        (b"\0", "says ''"),
        (b"stream: ok\0", "says 'stream: ok'"),
        (b"stream: OK \0", "says 'stream: OK '"),
        (b"/etc/passwd: OK\0", "says"),
        (b"UNKNOWN COMMAND\0", "UNKNOWN COMMAND"),
        (b"stream: Can't allocate memory ERROR\0", "allocate memory ERROR"),
        (b"stream: Heuristics.Limits.Exceeded.MaxScanTime FOUND\0", "MaxScanTime"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 100_000, "no end"),
        (b"stream: \xff\x1b[2J\nOK\0", r"says 'stream: \S\?\[2J\?OK'"),
    ],
)
def test_whatever_is_no_answer_is_not_clean(file: Path, answer: bytes, complaint: str) -> None:
    def say(connection: socket.socket) -> None:
        heard = b""
        while not heard.endswith(b"harmless\0\0\0\0"):
            heard += connection.recv(65_536)
        connection.sendall(answer)

    with listening(say) as scanner, pytest.raises(ScanUnavailable, match=complaint):
        ask(scanner, file)


def test_an_answer_before_the_end_is_none(file: Path) -> None:
    with file.open("ab") as opened:
        opened.truncate(64 * MEBIBYTE)

    def hasty(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"stream: OK\0")
        while connection.recv(65_536):  # else the answer is lost with the connection
            pass

    with listening(hasty) as scanner, pytest.raises(ScanUnavailable, match="did not read it"):
        ask(scanner, file)
