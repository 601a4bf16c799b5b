"""The guard of jobs.api.wsgi for ASGI servers."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from jobs.api.wsgi import UNREADABLE, is_readable

# As Django types its own.
Application: TypeAlias = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def with_readable_content_type(application: Application) -> Application:
    """Wrap an ASGI application so that a malformed Content-Type is answered 415, not 500."""

    async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": [_readable(*header) for header in scope["headers"]]}
        await application(scope, receive, send)

    return guarded


def _readable(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    if name != b"content-type" or is_readable(value.decode("latin-1")):
        return name, value
    return name, UNREADABLE.encode()
