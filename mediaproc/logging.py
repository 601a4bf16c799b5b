"""How the service logs: one event a line, JSON in production, with job, pool, worker, attempt."""

import logging
import sys
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from structlog.typing import Processor

from jobs.worker.log_context import add_attempt

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    add_attempt,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def logging_config(log_format: str, level: str) -> dict[str, Any]:
    """The LOGGING setting. `log_format`: `json`, or `console` (colours on a terminal only).

    Raises ImproperlyConfigured for another format, or a level that there is not.
    """
    if log_format not in ("json", "console"):
        raise ImproperlyConfigured(f"LOG_FORMAT is {log_format!r}; it must be json or console.")
    if level not in logging.getLevelNamesMapping():
        raise ImproperlyConfigured(
            f"LOG_LEVEL is {level!r}; it must be DEBUG, INFO, WARNING or ERROR."
        )
    renderer: list[Processor]
    if log_format == "json":
        renderer = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        renderer = [structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())]
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *renderer,
                ],
            }
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "structured",
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            "django": {"level": "WARNING"},
            # The service logs each request itself, without its address, which may hold secrets.
            "django.request": {"level": "ERROR"},
            "axes": {"level": "WARNING"},  # accounts.security_log tells the same in one line
            "httpx": {"level": "WARNING"},  # it logs whole addresses, with the keys in them
            "jobs": {"level": level},
        },
    }
