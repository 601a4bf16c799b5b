"""The guard of jobs.api.wsgi for ASGI servers."""

from typing import TYPE_CHECKING

from jobs.api.wsgi import UNREADABLE, is_readable

if TYPE_CHECKING:
    from asgiref.typing import (
        ASGI3Application,
        ASGIReceiveCallable,
        ASGISendCallable,
        Scope,
    )


def with_readable_content_type(application: "ASGI3Application") -> "ASGI3Application":
    """Wrap an ASGI application so that a malformed Content-Type is answered 415, not 500."""

    async def guarded(
        scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        if scope["type"] == "http":
            headers = [
                (
                    name,
                    value if name != b"content-type" or _is_readable(value) else UNREADABLE_BYTES,
                )
                for name, value in scope["headers"]
            ]
            scope = {**scope, "headers": headers}
        await application(scope, receive, send)

    return guarded


UNREADABLE_BYTES = UNREADABLE.encode()


def _is_readable(value: bytes) -> bool:
    return is_readable(value.decode("latin-1"))
