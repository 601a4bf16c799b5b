"""gunicorn's configuration: `gunicorn --config mediaproc/web_server.py mediaproc.wsgi`."""

import socket
import struct
import sys
from functools import partial
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from mediaproc.paced_worker import Pace

try:
    from mediaproc.settings import LOGGING, env

    HOST = env.str("BIND_HOST", default="0.0.0.0")  # noqa: S104 - a container's only way out
    PORT = env.int("PORT", default=8000)
    threads = env.int("WEB_THREADS", default=8)
    SILENCE = env.int("WEB_SILENCE_SECONDS", default=20)
    LEAST_RATE = env.int("WEB_LEAST_BYTES_PER_SECOND", default=4096)
    if LEAST_RATE < 1:
        raise ImproperlyConfigured("WEB_LEAST_BYTES_PER_SECOND must be above 0.")
except ImproperlyConfigured as error:
    sys.exit(f"mediaproc: {error}")

bind = f"{HOST}:{PORT}"
worker_class = "mediaproc.paced_worker.PacedWorker"
graceful_timeout = 3
# Also how long a new connection may be without its first byte.
keepalive = 5
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


def when_ready(server: Any) -> None:
    """A thread waits only so long for a client that has begun to send and is silent, or that reads
    no more: gunicorn itself waits for ever. Connections have this from the socket that takes them.
    """
    silence = struct.pack("ll", SILENCE, 0)
    for listener in server.LISTENERS:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.sock.setsockopt(socket.SOL_SOCKET, option, silence)


def post_worker_init(worker: Any) -> None:
    """And no longer for one that sends or reads a byte now and then."""
    worker.new_pace = partial(Pace, SILENCE, LEAST_RATE)
