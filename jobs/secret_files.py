"""Secrets in files, as a vault's agent, Docker, Kubernetes or systemd writes them."""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def read_secret(name: str, path: str) -> str:
    """What the file that NAME_FILE names says now, without the line break at its end.

    Raises ImproperlyConfigured in one line, which does not repeat what is in the file.
    """
    try:
        value = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
    else:
        if len(value.splitlines()) == 1:
            return value
        why = "it has several lines" if value else "it is empty"
    raise ImproperlyConfigured(
        f"{name}_FILE is {path!r}, where there is no secret: {why}."
        f" It must be a file of one line that this user may read, the value of {name}."
    )


def current(name: str) -> str:
    """The setting of this name; where it came from a file, what that says now. So who writes the
    file changes a password under running processes: each new connection asks here.

    Raises ImproperlyConfigured as `read_secret` does.
    """
    path = settings.SECRET_FILES.get(name)
    return read_secret(name, path) if path else str(getattr(settings, name))
