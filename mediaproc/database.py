"""The database: DATABASE_URL, or DB_HOST and its kin, or the embedded server of `make run`."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from mediaproc.embedded_postgres.layout import url as embedded_url
from mediaproc.environment import Environment

ENGINE = "mediaproc.postgresql"


def from_address(address: str) -> dict[str, Any]:
    """What Django is told of this DATABASE_URL. Raises ImproperlyConfigured."""
    if not address.startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured(
            "DATABASE_URL must be a postgres:// address: the queue needs PostgreSQL 15 or later."
        )
    try:
        return dict(Environment.db_url_config(address, engine=ENGINE))
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}.") from error


def database(env: Environment, *, pooled: bool) -> dict[str, Any]:
    """The entry of DATABASES. Raises ImproperlyConfigured.

    pooled: a transaction pooler hands each transaction another connection.
    """
    if address := env.str("DATABASE_URL", default=""):
        told = from_address(address)
    elif env.str("DB_HOST", default=""):
        told = {
            "ENGINE": ENGINE,
            "HOST": env.str("DB_HOST"),
            "PORT": env.str("DB_PORT", default="5432"),
            "NAME": env.str("DB_NAME", default="media_processor"),
            "USER": env.str("DB_USER", default="postgres"),
            "PASSWORD": env.str("DB_PASSWORD", default=""),
        }
    else:
        told = from_address(embedded_url())
    options = {
        "connect_timeout": 5,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
        "application_name": "mediaproc",
        # The engine's few statements are prepared; through a transaction pooler they cannot be.
        "prepare_threshold": None if pooled else 5,
        **told.get("OPTIONS", {}),
    }
    return {
        **told,
        "OPTIONS": options,
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": pooled,
    }
