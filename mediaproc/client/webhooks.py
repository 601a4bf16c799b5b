"""Where the service calls back."""

from typing import Any

from mediaproc.client.creating import body, create, segment
from mediaproc.client.transport import Transport


class Webhooks:
    """The endpoints of the account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, url: str, **more: Any) -> dict[str, Any]:
        """A new endpoint; its secret is in this answer alone."""
        return dict(create(self._transport, "webhooks", body(url=url, **more)))

    def list(self) -> list[dict[str, Any]]:
        """All of them."""
        return list(self._transport.ask("GET", "webhooks")["results"])

    def remove(self, endpoint_id: str) -> None:
        """Remove one."""
        self._transport.request("DELETE", f"webhooks/{segment(endpoint_id)}")
