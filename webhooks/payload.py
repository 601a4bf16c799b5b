"""The bytes that are sent, and what proves who sent them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook


def body_of(event: str, at: datetime, data: Mapping[str, Any]) -> str:
    """Standard Webhooks' {type, timestamp, data}."""
    moment = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    payload = {"type": event, "timestamp": moment, "data": data}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def headers_of(webhook_id: str, body: str, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The id, the moment of the attempt, and a signature by each secret; none without one."""
    moment = now.astimezone(UTC)  # the library takes any zone for UTC
    headers = {"webhook-id": webhook_id, "webhook-timestamp": str(int(moment.timestamp()))}
    if secrets:
        signatures = [Webhook(secret).sign(webhook_id, moment, body) for secret in secrets]
        headers["webhook-signature"] = " ".join(signatures)
    return headers
