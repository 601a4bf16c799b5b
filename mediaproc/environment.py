"""The environment as the settings read it: strict, and with errors that name the variable."""

import math
import re
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from jobs.secret_files import read_secret

# What may be given as NAME_FILE too, the path of a file that holds it.
SECRETS = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "DATABASE_URL",
    "DB_PASSWORD",
    "LISTEN_DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "EMAIL_HOST_PASSWORD",
    "REMOTE_WORKER_TOKEN",
)
# An address is a secret when a password is in it.
_PASSWORD = re.compile(r"://[^/?#]*:[^/?#]+@|password=")

_SWITCH = {
    **dict.fromkeys(("true", "on", "yes", "1"), True),
    **dict.fromkeys(("false", "off", "no", "0"), False),
}


class Environment(environ.Env):  # type: ignore[misc]  # django-environ has no types
    """django-environ with four changes.

    A blank value counts as not set. A number or a switch must be one: django-environ reads `1e3` as
    13.0 and DEBUG=ture as False. A value is what it says: django-environ takes one that begins with
    `$` for the name of another variable, and so loses every password that does. And one of SECRETS
    may stand in a file: django-environ's own FileAwareEnv keeps the line break at its end, prefers
    the file where both are set, and lets through whatever reading raises.

    files: where the secrets that were read are, by name. inline: those of the environment itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, str] = {}
        self.inline: list[str] = []

    def get_value(
        self,
        var: str,
        cast: Any = None,
        default: Any = environ.Env.NOTSET,
        parse_default: bool = False,
    ) -> Any:
        """Raises ImproperlyConfigured for a value that cannot be read, or that must be and is not
        set."""
        value = self._secret(var) if var in SECRETS else self.ENVIRON.get(var)
        if not value:
            if default is self.NOTSET:
                raise ImproperlyConfigured(f"{var} is not set.")
            return default
        try:
            return self.parse_value(value, cast)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} is {value!r}; {error}.") from error

    def _secret(self, name: str) -> str | None:
        value: str | None = self.ENVIRON.get(name)
        path: str | None = self.ENVIRON.get(f"{name}_FILE")
        if value and path:
            raise ImproperlyConfigured(
                f"{name} and {name}_FILE are both set; take one of them away, or make it blank."
            )
        if path:
            self.files[name] = path
            return read_secret(name, path)
        if value and (not name.endswith("_URL") or _PASSWORD.search(value)):
            self.inline.append(name)
        return value

    @classmethod
    def parse_value(cls, value: str, cast: Any) -> Any:
        """Raises ValueError that says what the value must be."""
        if cast is bool:
            try:
                return _SWITCH[value.strip().lower()]
            except KeyError:
                raise ValueError("it must be True or False") from None
        if cast in (int, float):
            return _number(value, cast)
        return super().parse_value(value, cast)


def _number(value: str, cast: type[int] | type[float]) -> float:
    try:
        number = cast(value)
    except ValueError:
        kind = "a whole number" if cast is int else "a number"
        raise ValueError(f"it must be {kind}") from None
    if not math.isfinite(number):
        raise ValueError("it must be finite")
    return number
