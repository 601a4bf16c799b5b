"""How long the database may take for what nobody waits for at a browser.

A transaction pooler would not keep it apart: behind one there are no such bounds.
"""

from django.conf import settings
from django.db import connection, connections

SESSION = "-c statement_timeout=10s -c lock_timeout=2s -c idle_in_transaction_session_timeout=30s"


def bound_process() -> None:
    """Bound every statement of this process from now on."""
    if not settings.PGBOUNCER:
        connections.settings["default"]["OPTIONS"]["options"] = SESSION
        connection.close()


def bound_thread() -> None:
    """Bound those of this thread alone."""
    if not settings.PGBOUNCER:
        values = connection.settings_dict
        bounded = {**values["OPTIONS"], "options": SESSION}
        connection.settings_dict = {**values, "OPTIONS": bounded}
        connection.close()
