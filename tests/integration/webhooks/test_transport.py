"""Only public servers are reached, whatever an address or a name server says, and none for long."""

import gzip
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.public_address import is_public
from tests.receiver import Receiver, raw_server, read_request
from webhooks import transport
from webhooks.transport import MOST_ANSWER, post

PUBLIC = "93.184.216.34"
# What a name server could say, and what somebody could type.
NOT_PUBLIC = [
    "127.0.0.1", "127.8.8.8", "0.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255", "192.88.99.1",
    "::", "::1", "fe80::1", "fc00::1", "fd00::1", "ff02::1", "fec0::1", "2001:db8::1", "3fff::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2002:808:808::", "2001:0:7f00:1::", "2001::1", "100::1", "5f00::1",
]  # fmt: skip
URLS = [
    "http://93.184.216.34/", "https://93.184.216.34:8443/", "https://127.0.0.1/",
    "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://0x7f000001/", "https://2130706433/",
    "https://127.1/", "https://0/", "https://0177.0.0.1/", "https://user@93.184.216.34/",
    "https://93.184.216.34@127.0.0.1/", "https://127\u30020\u30020\u30021/", "ftp://example.org/",
    "file:///etc/passwd", "https:///", "https://", "", "https://a b/", "https://example.org\\@x/",
    "https://example.org/#x", "https://example.org:99999/", "https://[::1", "https://a\r\nb/",
    "https://localhost/", "https://" + "a" * 2000, "https://" + "a" * 70 + ".org/", "gopher://x/",
]  # fmt: skip


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """To which addresses somebody tried to connect; nobody gets there."""
    tried: list[str] = []

    def connect(address: tuple[str, int], *rest: Any, **options: Any) -> socket.socket:
        tried.append(address[0])
        raise OSError("not in a test")

    monkeypatch.setattr("socket.create_connection", connect)
    return tried


@pytest.fixture
def strict(settings: Settings) -> None:
    """As on the internet."""
    settings.WEBHOOK_ALLOW_PRIVATE = False


def answers(monkeypatch: pytest.MonkeyPatch, *each: list[str]) -> list[str]:
    """Let the name server say these addresses, one list a question; returns what was asked."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: Any, *rest: Any, **options: Any) -> list[Any]:
        if options.get("flags"):  # whether it is a number already
            return real(host, port, *rest, **options)
        asked.append(host)
        found = each[min(len(asked), len(each)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("address", NOT_PUBLIC)
@pytest.mark.usefixtures("strict")
def test_no_name_leads_inside(
    connected: list[str], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    assert not is_public(address)
    for found in ([address], [PUBLIC, address], [address, PUBLIC]):
        answers(monkeypatch, found)
        answer = post("https://example.org/", b"{}", {})
        assert (answer.status, connected) == (None, [])
        assert "not a public one" in answer.error


@pytest.mark.parametrize("url", URLS)
@pytest.mark.usefixtures("strict")
def test_no_address_leads_inside(connected: list[str], url: str) -> None:
    answer = post(url, b"{}", {})
    assert (answer.status, connected) == (None, [])
    assert answer.error


@pytest.mark.usefixtures("strict")
def test_a_name_server_that_changes_its_mind(
    connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answers(monkeypatch, [PUBLIC], ["127.0.0.1"])
    post("https://example.org/", b"{}", {})
    assert asked == ["example.org"]
    assert connected == [PUBLIC]


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_ones(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(hook: Receiver, status: int) -> None:
    hook.answer(status, Location=f"{hook.url}/inside")
    answer = post(hook.url, b"{}", {})
    assert (answer.status, answer.ok, len(hook.received)) == (status, False, 1)


def test_the_environment_says_nothing(hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert post(hook.url, b"{}", {"webhook-id": "a"}).ok
    [received] = hook.received
    assert received.headers["host"] == hook.url.split("/")[2]
    assert received.headers["accept-encoding"] == "identity"


def drip(connection: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x")
        time.sleep(0.05)


def silence(connection: socket.socket) -> None:
    connection.recv(1)


def early_hints(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        time.sleep(0.01)


@pytest.mark.parametrize("serve", [drip, drip_body, silence, early_hints])
def test_one_deadline(
    serve: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "SECONDS", 0.5)
    with raw_server(serve) as port:
        began = time.monotonic()
        answer = post(f"http://127.0.0.1:{port}/", b"{}", {})
    assert time.monotonic() - began < 25  # each would go on for 50 s, or for ever
    assert (answer.status, answer.ok) == (None, False)
    assert "Timeout" in answer.error
    assert transport.SECONDS <= 15


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


def bomb(connection: socket.socket) -> None:
    packed = gzip.compress(b"\0" * 10_000_000)
    head = f"HTTP/1.1 500 no\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    connection.sendall(head.encode() + packed)


def headers_without_end(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: " + b"x" * 8000 + b"\r\n")


@pytest.mark.parametrize(
    ("serve", "status"), [(endless, 200), (bomb, 500), (headers_without_end, None)]
)
def test_answers_without_end(serve: Callable[[socket.socket], None], status: int | None) -> None:
    with raw_server(serve) as port:
        answer = post(f"http://127.0.0.1:{port}/", b"{}", {})
    assert answer.status == status
    assert len(answer.text) <= MOST_ANSWER
    assert "\x00" not in answer.text


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of `hooks.example.org`, by its own authority; with the key."""
    key, made, both = tmp_path / "key", tmp_path / "made", tmp_path / "both"
    subprocess.run(
        [
            which("openssl") or "", "req", "-x509", "-newkey", "ec",
            "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=x", "-addext",
            "subjectAltName=DNS:hooks.example.org", "-keyout", key, "-out", made,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    both.write_bytes(key.read_bytes() + made.read_bytes())
    return both


def test_the_certificate_is_that_of_the_name(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the connection goes to an address."""
    names: list[str | None] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda sock, name, context: names.append(name)
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    read_request(secured)
                    secured.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            except OSError:
                connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    monkeypatch.setattr(
        transport, "_certificates", lambda: ssl.create_default_context(cafile=str(certificate))
    )
    answers(monkeypatch, ["127.0.0.1"])
    port = listener.getsockname()[1]

    right = post(f"https://hooks.example.org:{port}/", b"{}", {})
    wrong = post(f"https://other.example.org:{port}/", b"{}", {})

    thread.join(5)
    listener.close()
    assert (right.status, wrong.status) == (204, None), right.error
    assert "CERTIFICATE_VERIFY_FAILED" in wrong.error
    assert names == ["hooks.example.org", "other.example.org"]
