"""Send mail through the SMTP server of the settings."""

from collections.abc import Mapping
from email.utils import parseaddr
from functools import partial
from smtplib import SMTPException, SMTPNotSupportedError
from typing import Annotated

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from jobs.outcomes import Backoff, Completed, Failed, Interrupted, Outcome, Retry
from jobs.processors.addresses import EmailAddress
from jobs.processors.contract import Context, Invalid, RetryPolicy, TimeLimits
from jobs.processors.declaration import processor
from jobs.processors.meter import Meter
from jobs.processors.parameters import Declared
from jobs.processors.smtp import Deferred, send

MAX_RECIPIENTS = 50


def _one_line(text: str) -> str:
    """What follows a line break would be a header of its own."""
    if text.splitlines() != [text]:
        raise PydanticCustomError("line_break", "This must be one line")
    return text


def _distinct(addresses: list[str]) -> list[str]:
    if len({address.lower() for address in addresses}) < len(addresses):
        raise PydanticCustomError("duplicate", "An address is given twice")
    return addresses


_Several = Annotated[
    list[EmailAddress],
    Field(min_length=1, max_length=MAX_RECIPIENTS),
    AfterValidator(_distinct),
]


class SendEmailParameters(Declared):
    """A mail, and to whom it goes."""

    recipient: Annotated[
        _Several,
        BeforeValidator(
            lambda given: [given] if isinstance(given, str) else given,
            json_schema_input_type=EmailAddress | _Several,
        ),
    ] = Field(description="One address, or a list: each gets a message of its own.")
    subject: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_one_line)] = Field(
        description="One line."
    )
    body: str = Field(max_length=100_000, description="Plain text.")
    html_body: str | None = Field(
        default=None, max_length=400_000, description="The same as HTML, for those who prefer it."
    )


def has_server(source_file: str, target_format: str, parameters: SendEmailParameters) -> None:
    """Raise Invalid where no mail server is configured."""
    if not settings.EMAIL_HOST:
        raise Invalid("job_type", "no_mail_server", "This service has no mail server.", status=422)


@processor(
    "send_email",
    parameters=SendEmailParameters,
    check=has_server,
    # A server that puts off whom it does not know yet wants to be asked again after minutes.
    retry=RetryPolicy(max_attempts=5, backoff=Backoff(base_seconds=60, cap_seconds=3600)),
    limits=TimeLimits(soft=300, hard=360),
)
def send_email(context: Context, parameters: SendEmailParameters) -> Outcome:
    """Send an e-mail.

    Every recipient gets a message of their own, from DEFAULT_FROM_EMAIL. What the server refuses
    for now (4xx), or cannot be reached for, is tried again for those who have not got it. What it
    refuses for good (5xx) fails. A worker that dies between the server's yes and its own note of it
    sends the message again, with the same Message-ID, by which receivers can tell.
    """
    meter = Meter()
    message_ids = [_message_id(context, number) for number in range(len(parameters.recipient))]
    refused: dict[str, str] = {}
    deferred: dict[str, str] = {}
    try:
        with get_connection() as connection:
            for recipient, message_id in zip(parameters.recipient, message_ids, strict=True):
                if context.stopped():
                    return Interrupted()
                message = _message(parameters, recipient, message_id)
                try:
                    refusal = context.step(message_id, partial(send, connection, message))
                except Deferred as error:
                    deferred[recipient] = str(error)
                else:
                    if refusal:
                        refused[recipient] = refusal
    except SMTPNotSupportedError as error:
        return Failed(f"The mail server cannot do what is wanted: {error}", "mail_not_supported")
    except (SMTPException, OSError) as error:
        told = f"{type(error).__name__}: {error}"
        return Retry(f"The mail server does not serve: {told}", "mail_server_unavailable")
    if deferred:
        return Retry(_told(deferred, "for now"), "mail_deferred")
    if refused:
        return Failed(_told(refused, "for good"), "mail_refused")
    return Completed(meter.metrics(), {"message_ids": message_ids})


def _message_id(context: Context, number: int) -> str:
    """The same in every attempt."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{context.attempt.id}.{number}@{domain}>"


def _message(
    parameters: SendEmailParameters, recipient: str, message_id: str
) -> EmailMultiAlternatives:
    # RFC 3834: no out-of-office answers, please.
    headers = {"Message-ID": message_id, "Auto-Submitted": "auto-generated"}
    message = EmailMultiAlternatives(
        parameters.subject, parameters.body, to=[recipient], headers=headers
    )
    if parameters.html_body is not None:
        message.attach_alternative(parameters.html_body, "text/html")
    return message


def _told(answers: Mapping[str, str], how: str) -> str:
    each = "; ".join(f"{recipient}: {answer}" for recipient, answer in answers.items())
    return f"The mail server refused {how}: {each}"
