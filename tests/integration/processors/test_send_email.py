"""send_email against a real SMTP server: what it takes, what it refuses, and how."""

import socket
from typing import Any

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from jobs.outcomes import Cancel, Completed, Failed, Interrupted, Outcome, Retry
from jobs.processors.contract import Invalid
from jobs.processors.send_email import send_email
from jobs.testing import RecordingContext, run
from tests.service import free_port
from tests.smtp_server import Mailbox, send_by

ANNE, BEN, CARL = "anne@example.org", "ben@example.org", "carl@host.local"
MAIL = {"recipient": ANNE, "subject": "Done", "body": "It is done."}


@pytest.fixture(autouse=True)
def _sender(settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "Media <media@service.example.org>"


def send(context: RecordingContext | None = None, **values: Any) -> Outcome:
    return run(send_email, parameters={**MAIL, **values}, context=context)


def wrong(**values: Any) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        send(**values)
    return {(one.field.removeprefix("parameters."), one.code) for one in caught.value.each()}


def test_a_mail_arrives(mailbox: Mailbox) -> None:
    context = RecordingContext()
    outcome = send(context, subject="Größe", body="Zeile\n.\nÄ", html_body="<p>Ä</p>")

    [message] = mailbox.to(ANNE)
    assert isinstance(outcome, Completed)
    assert outcome.result == {"message_ids": [message["Message-ID"]]}
    assert message["Message-ID"] == f"<{context.attempt.id}.0@service.example.org>"
    assert message["From"] == "Media <media@service.example.org>"
    assert (message["To"], message["Subject"]) == (ANNE, "Größe")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"]
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == ["Zeile", ".", "Ä"]
    assert html.get_content().strip() == "<p>Ä</p>"


def test_each_of_several_gets_a_message_alone(mailbox: Mailbox) -> None:
    outcome = send(recipient=[ANNE, BEN, CARL])

    assert isinstance(outcome, Completed)
    assert [(to, message["To"]) for to, message in mailbox.taken] == [
        ([ANNE], ANNE),
        ([BEN], BEN),
        ([CARL], CARL),
    ]
    assert len(set(outcome.result["message_ids"])) == 3


@pytest.mark.parametrize(
    ("values", "mistake"),
    [
        ({"subject": "Done\nBcc: ben@example.org"}, ("subject", "line_break")),
        ({"subject": "Done\r\nBcc: ben@example.org"}, ("subject", "line_break")),
        ({"subject": "Done\u2028"}, ("subject", "line_break")),
        ({"subject": "Done\x0b"}, ("subject", "line_break")),
        ({"subject": ""}, ("subject", "min_length")),
        ({"subject": "x" * 256}, ("subject", "max_length")),
        ({"body": "x" * 100_001}, ("body", "max_length")),
        ({"html_body": "x" * 400_001}, ("html_body", "max_length")),
        ({"recipient": "anne"}, ("recipient.0", "invalid_email")),
        ({"recipient": "anne@example.org, ben@example.org"}, ("recipient.0", "invalid_email")),
        ({"recipient": "anne@example.org\nBcc: b@c.org"}, ("recipient.0", "invalid_email")),
        ({"recipient": []}, ("recipient", "min_length")),
        ({"recipient": [f"a{number}@b.org" for number in range(51)]}, ("recipient", "max_length")),
        ({"recipient": [ANNE, ANNE.upper()]}, ("recipient", "duplicate")),
        ({"recipient": {"to": ANNE}}, ("recipient", "invalid")),
        ({"from": "boss@example.org"}, ("from", "unknown_parameter")),
    ],
)
def test_what_is_no_mail(mailbox: Mailbox, values: Any, mistake: tuple[str, str]) -> None:
    assert wrong(**values) == {mistake}
    assert mailbox.taken == []


def test_without_a_server_no_job_is_made(settings: Settings) -> None:
    assert django_settings.EMAIL_HOST == ""
    assert wrong() == {("job_type", "no_mail_server")}


def test_refused_for_good(mailbox: Mailbox) -> None:
    mailbox.refuse(ANNE, "550 no such user")

    outcome = send(recipient=[ANNE, BEN])

    assert outcome == Failed(
        f"The mail server refused for good: {ANNE}: 550 no such user", "mail_refused"
    )
    assert len(mailbox.to(BEN)) == 1


def test_refused_for_now_is_tried_again_for_those_who_have_not_got_it(mailbox: Mailbox) -> None:
    mailbox.refuse(BEN, "451 come back later")
    mailbox.refuse(CARL, "550 no such user")
    context = RecordingContext()

    first = send(context, recipient=[ANNE, BEN, CARL])
    second = send(context, recipient=[ANNE, BEN, CARL])

    assert isinstance(first, Retry)
    assert first.code == "mail_deferred"
    assert first.error == f"The mail server refused for now: {BEN}: 451 come back later"
    assert first.backoff == send_email.retry_policy.backoff
    assert (len(mailbox.to(ANNE)), len(mailbox.to(BEN)), len(mailbox.to(CARL))) == (1, 1, 0)
    assert isinstance(second, Failed)
    assert CARL in second.error


def test_a_server_that_closes_the_session(mailbox: Mailbox) -> None:
    mailbox.refuse(ANNE, "421 going down")

    outcome = send(recipient=[ANNE, BEN])

    assert isinstance(outcome, Retry)


def test_nobody_serves(settings: Settings) -> None:
    send_by(settings, free_port())

    outcome = send()

    assert isinstance(outcome, Retry)
    assert outcome.code == "mail_server_unavailable"
    assert "refused" in outcome.error


def test_a_server_that_says_nothing(settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 0.2
    with socket.create_server(("127.0.0.1", 0)) as silent:
        send_by(settings, silent.getsockname()[1])
        outcome = send()

    assert isinstance(outcome, Retry)
    assert outcome.code == "mail_server_unavailable"
    assert "timed out" in outcome.error


def test_no_encryption_where_it_is_wanted(mailbox: Mailbox, settings: Settings) -> None:
    settings.EMAIL_USE_TLS = True

    outcome = send()

    assert isinstance(outcome, Failed)
    assert outcome.code == "mail_not_supported"
    assert mailbox.taken == []


def test_a_login_that_is_refused_is_the_deployments_matter(
    mailbox: Mailbox, settings: Settings
) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "media", "wrong"

    outcome = send()

    assert not isinstance(outcome, Completed)
    assert "wrong" not in getattr(outcome, "error", "")


def test_stopped_before_the_next_message(mailbox: Mailbox) -> None:
    assert send(RecordingContext(cancel_at=0)) == Cancel()
    assert send(RecordingContext(stop_at=0)) == Interrupted()
    timed_out = send(RecordingContext(time_out_at=0))
    assert isinstance(timed_out, Retry)
    assert timed_out.code == "timed_out"
    assert mailbox.taken == []
