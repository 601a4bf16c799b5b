"""What is sent: bodies, and POSTs that make something once however often they are repeated."""

import uuid
from datetime import datetime
from typing import Any
from urllib.parse import quote

from mediaproc.client.transport import Transport


def body(**fields: Any) -> dict[str, Any]:
    """The fields that are not None, in JSON's types."""
    return {name: _plain(value) for name, value in fields.items() if value is not None}


def create(
    transport: Transport, path: str, fields: dict[str, Any] | None = None, *, key: str | None = None
) -> Any:
    """POST; the answer's JSON. Without a `key` this call has its own."""
    return transport.ask("POST", path, json=fields or {}, headers=idempotent(key))


def idempotent(key: str | None = None) -> dict[str, str]:
    """The header that keeps a repeated POST from making a second one of what it makes."""
    if key is not None and not (key.isascii() and key.isprintable() and '"' not in key):
        raise ValueError("An idempotency key has printable ASCII characters, and no quotes.")
    return {"Idempotency-Key": f'"{key or uuid.uuid4()}"'}


def segment(text: str) -> str:
    """As one part of a path."""
    return quote(str(text), safe="")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value} needs a time zone.")
        return value.isoformat()
    return value
