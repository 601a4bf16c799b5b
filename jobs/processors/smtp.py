"""One message to one recipient, and what a server's refusal of it means."""

from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from typing import Any

from django.core.mail import EmailMessage

PERMANENT = 500  # the lowest of the codes that mean: for good


class Deferred(Exception):
    """The server does not take the message now. The text is its answer."""


def send(connection: Any, message: EmailMessage) -> str:
    """Give the message to the server; "" when it took it, else its answer that it never will.

    connection: an open one of Django's. Raises Deferred; SMTPException and OSError, when it is not
    about this message.
    """
    try:
        connection.send_messages([message])
    except SMTPRecipientsRefused as error:
        [(code, text)] = error.recipients.values()
        return _refused(code, text)
    except (SMTPSenderRefused, SMTPDataError) as error:
        return _refused(error.smtp_code, error.smtp_error)
    return ""


def _refused(code: int, text: bytes | str) -> str:
    answer = f"{code} {text if isinstance(text, str) else text.decode(errors='replace')}"
    if code < PERMANENT:
        raise Deferred(answer)
    return answer
