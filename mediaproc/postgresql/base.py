"""The module that Django looks for in a database engine."""

from typing import Any

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql import base

from jobs.secret_files import current
from mediaproc.database import from_address


class DatabaseWrapper(base.DatabaseWrapper):
    """Every connection, also those that Django does not keep, has its parameters from here."""

    def get_connection_params(self) -> dict[str, Any]:
        """Django's own; name and password as their file says them now, where there is one.

        Raises psycopg.OperationalError where it cannot be read: it will be again, as a database
        that is away comes back.
        """
        parameters = super().get_connection_params()
        try:
            return {**parameters, **_credentials()}
        except ImproperlyConfigured as error:
            raise psycopg.OperationalError(str(error)) from error


def _credentials() -> dict[str, str]:
    if "DATABASE_URL" in settings.SECRET_FILES:
        told = from_address(current("DATABASE_URL"))
        found = {"user": told["USER"], "password": told["PASSWORD"]}
        return {name: value for name, value in found.items() if value}
    if "DB_PASSWORD" in settings.SECRET_FILES:
        return {"password": current("DB_PASSWORD")}
    return {}
