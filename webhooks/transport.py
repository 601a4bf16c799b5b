"""One POST to an address that a stranger chose.

It is resolved once, every answer must be public, and the connection goes to what was resolved; the
certificate is still that of the name. Nothing is followed, nothing unpacked, nothing taken from the
environment but where certificates are, and all of it has one deadline.
"""

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx
from django.conf import settings
from django.utils.http import parse_http_date_safe

from jobs.public_address import is_public
from jobs.targets import BadTarget, check_target

SECONDS = 10.0
MOST_ANSWER = 1024
MOST_DIGITS = 7
_ALWAYS = {
    "content-type": "application/json",
    "user-agent": "mediaproc-webhooks",
    "accept-encoding": "identity",
    "connection": "close",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. status: None when nobody answered; `error` says why. text: the beginning of
    the answer's body. retry_after: seconds, where the answer names them."""

    milliseconds: int
    status: int | None = None
    text: str = ""
    retry_after: float | None = None
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and httpx.codes.is_success(self.status)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send it. Whatever goes wrong is an Answer too."""
    began = time.monotonic()
    try:
        check_target(url, private=settings.WEBHOOK_ALLOW_PRIVATE)
        status, content, retry_after = _send(url, body, headers, began + SECONDS)
    except BadTarget as error:
        return Answer(_since(began), error=str(error))
    except _FAILURES as error:
        told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return Answer(_since(began), error=told[:200])
    text = content[:MOST_ANSWER].decode("utf-8", "replace").replace("\x00", "\ufffd")
    return Answer(_since(began), status, text, retry_after)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises OSError; BadTarget unless all of them may be called."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not settings.WEBHOOK_ALLOW_PRIVATE and not all(map(is_public, addresses)):
        raise BadTarget("The host has an address that is not a public one.")
    return addresses


_FAILURES = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    OSError,
    UnicodeError,
)


def _send(
    url: str, body: bytes, headers: Mapping[str, str], deadline: float
) -> tuple[int, bytes, float | None]:
    given = {"host": urlsplit(url).netloc, **_ALWAYS, **headers}
    content = b""
    with (
        httpcore.ConnectionPool(
            ssl_context=_certificates(), network_backend=_Network(deadline)
        ) as pool,
        pool.stream("POST", url, headers=list(given.items()), content=body) as response,
    ):
        for part in response.iter_stream():
            content += part
            if len(content) >= MOST_ANSWER:
                break
    return response.status, content, _retry_after(response.headers)


@cache
def _certificates() -> ssl.SSLContext:
    """To read them takes longer than a delivery."""
    return httpx.create_ssl_context()


class _Network(httpcore.NetworkBackend):
    """Connects to what a name was resolved to, once that was looked at."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        error: Exception = httpcore.ConnectError("no address")
        for address in resolve(host, port):
            try:
                stream = self._plain.connect_tcp(address, port, _left(self._deadline))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
            else:
                return _Stream(stream, self._deadline)
        raise error


class _Stream(httpcore.NetworkStream):
    """Of which every operation ends by the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _Stream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout(f"no answer within {SECONDS:.0f} s")
    return left


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """As seconds; None where it is not said, or not as seconds or a date."""
    value = next((value for name, value in headers if name.lower() == b"retry-after"), b"")
    if value.isdigit() and len(value) <= MOST_DIGITS:
        return float(value)
    moment = parse_http_date_safe(value.decode("ascii", "replace"))
    return None if moment is None else max(0.0, moment - time.time())
