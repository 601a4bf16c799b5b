"""The environment as the settings read it: strict, and with errors that name the variable."""

import math
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

_SWITCH = {
    **dict.fromkeys(("true", "on", "yes", "1"), True),
    **dict.fromkeys(("false", "off", "no", "0"), False),
}


class Environment(environ.Env):  # type: ignore[misc]  # django-environ has no types
    """django-environ with three changes.

    A blank value counts as not set. A number or a switch must be one: django-environ reads `1e3` as
    13.0 and DEBUG=ture as False. A value is what it says: django-environ takes one that begins with
    `$` for the name of another variable, and so loses every password that does.
    """

    def get_value(
        self,
        var: str,
        cast: Any = None,
        default: Any = environ.Env.NOTSET,
        parse_default: bool = False,
    ) -> Any:
        """Raises ImproperlyConfigured for a value that cannot be read, or that must be and is not
        set."""
        value = self.ENVIRON.get(var)
        if not value:
            if default is self.NOTSET:
                raise ImproperlyConfigured(f"{var} is not set.")
            return default
        try:
            return self.parse_value(value, cast)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} is {value!r}; {error}.") from error

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
