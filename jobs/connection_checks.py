"""Deployment checks: what goes to another machine is encrypted, to whom the certificate names."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from django.conf import settings
from django.core import checks
from psycopg.conninfo import conninfo_to_dict

from jobs.checks import TAG

_VERIFIED = "verify-full"


@checks.register(TAG, deploy=True)
def check_postgresql(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """PostgreSQL is reached by TLS that verifies its certificate and name."""
    database = settings.DATABASES["default"]
    addresses = {"DATABASE_URL": {"host": database.get("HOST", ""), **database["OPTIONS"]}}
    if settings.LISTEN_DATABASE_URL:
        # Workers say of one that cannot be read that they do not listen.
        with suppress(psycopg.ProgrammingError):
            addresses["LISTEN_DATABASE_URL"] = conninfo_to_dict(settings.LISTEN_DATABASE_URL)
    return [
        checks.Warning(
            f"{name} leads to another machine, and not with sslmode={_VERIFIED}: what goes there"
            " can be read, or the machine be another than it says.",
            hint=f"Put ?sslmode={_VERIFIED}&sslrootcert=/path/of/the/ca.pem after the address.",
            id="jobs.W007",
        )
        for name, told in addresses.items()
        if _is_elsewhere(told) and _told_or_default("sslmode", told) != _VERIFIED
    ]


@checks.register(TAG, deploy=True)
def check_redis(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """Redis is reached by TLS that verifies its certificate and name."""
    address = urlsplit(settings.REDIS_URL)
    asked = parse_qs(address.query)
    verified = (
        address.scheme == "rediss"
        and asked.get("ssl_cert_reqs", ["required"]) == ["required"]
        and asked.get("ssl_check_hostname", ["true"])[0].lower() in {"true", "1", "yes"}
    )
    if address.scheme == "unix" or verified or is_here(address.hostname or ""):
        return []
    return [
        checks.Warning(
            "REDIS_URL leads to another machine, and not by TLS that verifies its certificate.",
            hint="rediss://host:port/0?ssl_ca_certs=/path/of/the/ca.pem, or no REDIS_URL at all.",
            id="jobs.W008",
        )
    ]


@checks.register(TAG, deploy=True)
def check_mail_server(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """The mail server is reached by TLS, whose certificate Django verifies by itself."""
    if settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL or is_here(settings.EMAIL_HOST):
        return []
    return [
        checks.Warning(
            f"Mail goes to {settings.EMAIL_HOST} without encryption, and codes of accounts in it.",
            hint="EMAIL_URL=smtp+tls://... or smtp+ssl://..., or EMAIL_USE_TLS=True.",
            id="jobs.W009",
        )
    ]


def _is_elsewhere(told: Mapping[str, Any]) -> bool:
    """Whether libpq, told so, goes to another machine."""
    hosts = _told_or_default("hostaddr", told) or _told_or_default("host", told)
    return not all(is_here(host) for host in hosts.split(","))


def _told_or_default(option: str, told: Mapping[str, Any]) -> str:
    """What libpq takes: what it is told, else PGSSLMODE and its kin, else its own."""
    if told.get(option):
        return str(told[option])
    defaults = psycopg.pq.Conninfo.get_defaults()
    value = next((one.val for one in defaults if one.keyword == option.encode()), None)
    return (value or b"").decode()


def is_here(host: str) -> bool:
    """Nowhere, a unix socket or this machine's own address."""
    if host in {"", "localhost"} or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
