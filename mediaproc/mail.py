"""The address of a mail server."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# Of each scheme: its port, and whether it means STARTTLS, and TLS from the start.
_SCHEMES = {
    "smtp": (25, False, False),
    "smtp+tls": (587, True, False),
    "smtp+ssl": (465, False, True),
}


class MailServer(NamedTuple):
    """Where mail goes, as Django's settings have it."""

    host: str
    port: int
    user: str
    password: str
    use_tls: bool
    use_ssl: bool


def read_address(address: str) -> MailServer:
    """Read EMAIL_URL. django-environ's own reader knows no ports, and makes spaces of `+`.

    Raises ImproperlyConfigured, which does not repeat the password.
    """
    try:
        parts = urlsplit(address)
        port, use_tls, use_ssl = _SCHEMES[parts.scheme]
        port = parts.port or port
        host = parts.hostname or ""
        if not host:
            raise ValueError("no host")
    except (KeyError, ValueError):
        raise ImproperlyConfigured(
            "EMAIL_URL must be smtp://user:password@host:port, or smtp+tls:// or smtp+ssl:// so."
        ) from None
    return MailServer(
        host, port, unquote(parts.username or ""), unquote(parts.password or ""), use_tls, use_ssl
    )
