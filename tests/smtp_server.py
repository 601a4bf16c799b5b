"""A real SMTP server of a test's own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.service import free_port


class Mailbox:
    """What the server took, and what it answers to whom.

    when_taken: called when a message is taken, before the server says so.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"smtp://127.0.0.1:{port}"
        self.taken: list[tuple[list[str], EmailMessage]] = []
        self.when_taken: Callable[[], object] = lambda: None
        self._refusals: dict[str, list[str]] = {}

    def refuse(self, recipient: str, answer: str, times: int = 1) -> None:
        """Answer so to the next RCPT commands for this recipient, then yes."""
        self._refusals[recipient] = [answer] * times

    def to(self, recipient: str) -> list[EmailMessage]:
        """The messages that it took for one recipient."""
        return [message for recipients, message in self.taken if recipient in recipients]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Called by the server for every recipient."""
        if refusals := self._refusals.get(address):
            return refusals.pop()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Called by the server for every message."""
        content: Any = envelope.content
        message = message_from_bytes(content, policy=policy.default)
        self.taken.append((list(envelope.rcpt_tos), message))
        self.when_taken()
        return "250 taken"


@contextmanager
def smtp_server(port: int | None = None) -> Iterator[Mailbox]:
    """Serve until the end of the block."""
    mailbox = Mailbox(port or free_port())
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def send_by(settings: Any, port: int) -> None:
    """Have this process send its mail there."""
    settings.EMAIL_BACKEND = "mediaproc.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
