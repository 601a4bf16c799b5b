"""Where the scanner listens, as the setting SCANNER says it."""

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECT_SECONDS = 5.0
PORT = 3310  # clamd's usual one


@dataclass(frozen=True, slots=True)
class Address:
    """A unix socket, or a host and a port; path is "" for these."""

    path: str = ""
    host: str = ""
    port: int = PORT

    def connect(self) -> socket.socket:
        """A connection. Raises OSError."""
        if not self.path:
            return socket.create_connection((self.host, self.port), timeout=CONNECT_SECONDS)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(self.path)
        except BaseException:
            connection.close()
            raise
        return connection


def parse_address(text: str) -> Address:
    """Read clamd://host:port or clamd+unix:///path. Raises ValueError that says what it must be."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", PORT if parts.port is None else parts.port
    except ValueError:
        raise _wrong(text) from None
    if text == f"clamd+unix://{parts.path}" and len(parts.path) > 1:
        return Address(path=parts.path)
    if parts.scheme == "clamd" and host and port and parts.netloc.rpartition("@")[2] == text[8:]:
        return Address(host=host, port=port)
    raise _wrong(text)


def _wrong(text: str) -> ValueError:
    return ValueError(
        f"SCANNER is {text!r}; it must be clamd://host:port or clamd+unix:///path/of/the/socket"
    )
