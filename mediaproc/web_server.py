"""gunicorn's configuration: `gunicorn --config mediaproc/web_server.py mediaproc.wsgi`."""

import sys

from django.core.exceptions import ImproperlyConfigured

try:
    from mediaproc.settings import LOGGING, env

    HOST = env.str("BIND_HOST", default="0.0.0.0")  # noqa: S104 - a container's only way out
    PORT = env.int("PORT", default=8000)
    threads = env.int("WEB_THREADS", default=8)
except ImproperlyConfigured as error:
    sys.exit(f"mediaproc: {error}")

bind = f"{HOST}:{PORT}"
worker_class = "gthread"
graceful_timeout = 3
control_socket_disable = True

logconfig_dict = {
    **LOGGING,
    "loggers": {
        **LOGGING["loggers"],
        # gunicorn cuts its loggers off from the root.
        "gunicorn.error": {"level": "WARNING", "handlers": ["stdout"]},
    },
}
# The service logs its requests itself, with their ids and without their addresses.
accesslog = None
