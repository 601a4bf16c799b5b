"""System checks of the settings of accounts."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.core import checks

from accounts.second_factor import DEMANDED_OF, EVERYBODY

POSITIVE = (
    "TOKEN_DAYS",
    "TOKEN_MOST_DAYS",
    "LOGIN_FAILURES",
    "LOGIN_LOCK_SECONDS",
    "LOGINS_PER_MIN_LIMIT",
    "SESSION_IDLE_MINUTES",
    "SESSION_MOST_HOURS",
    "RECENT_LOGIN_MINUTES",
)


@checks.register("accounts")
def check_numbers(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """Times, counts and choices are in their range."""
    wrong = [f"{name} must be above 0" for name in POSITIVE if getattr(settings, name) <= 0]
    if settings.TOKEN_DAYS > settings.TOKEN_MOST_DAYS:
        wrong.append("TOKEN_DAYS must not be above TOKEN_MOST_DAYS")
    if settings.SECOND_FACTOR not in DEMANDED_OF:
        wrong.append(f"SECOND_FACTOR must be one of {', '.join(DEMANDED_OF)}")
    return [checks.Error(text, id="accounts.E001") for text in wrong]


@checks.register("accounts", deploy=True)
def check_second_factor(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """A password alone lets nobody in: OWASP ASVS 6.3.3."""
    if settings.SECOND_FACTOR == EVERYBODY:
        return []
    return [
        checks.Warning(
            f"SECOND_FACTOR is {settings.SECOND_FACTOR!r}: a password alone lets others in, whoever"
            " has guessed or stolen it.",
            hint="SECOND_FACTOR=everybody, the default.",
            id="accounts.W001",
        )
    ]


@checks.register("accounts")
def check_proxies(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """TRUSTED_PROXIES are addresses or networks."""
    found: list[checks.CheckMessage] = []
    for proxy in settings.TRUSTED_PROXIES:
        try:
            ip_network(proxy)
        except ValueError as error:
            found.append(checks.Error(f"TRUSTED_PROXIES: {error}", id="accounts.E002"))
    return found
