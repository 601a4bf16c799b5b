"""Mail about an account: to its owner when a password or a factor changes, and to who forgot
his password. A job sends it: the time of an answer does not tell whether there is an account."""

from datetime import timedelta
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.dispatch import receiver
from django.utils import timezone

from accounts import second_factor
from accounts.forgotten import code_for, who_has
from accounts.models import Notice
from accounts.passwords import password_set
from jobs.outcomes import Backoff, Cancel, Completed, Outcome, Retry
from jobs.processors.contract import Context, RetryPolicy
from jobs.processors.declaration import processor
from jobs.processors.meter import Meter
from jobs.processors.parameters import Declared
from jobs.queue.submit import NewJob, submit

JOB_TYPE = "account_notice"
PRIORITY = 7
ATTEMPTS = 5
FORGOTTEN = "forgotten"
KEPT = timedelta(days=1)

_NOT_YOU = "\nIf that was not you, tell whoever runs this service.\n"
_TEXTS = {
    "password": "The password of your account {username} was set.\n" + _NOT_YOU,
    "on": "Your account {username} has a second factor now.\n" + _NOT_YOU,
    "off": "Your account {username} has no second factor any more.\n" + _NOT_YOU,
    "recovery_used": "A recovery code of your account {username} was used.\n" + _NOT_YOU,
    FORGOTTEN: """Somebody, probably you, forgot the password of the account {username}.

To set a new one, POST this to auth/password/reset/confirm within an hour:

{{"username": "{username}", "code": "{code}", "new_password": "..."}}

Otherwise do nothing: the password is the old one.
""",
}


class NoticeParameters(Declared):
    """Which one."""

    notice: str


@processor(
    JOB_TYPE,
    parameters=NoticeParameters,
    internal=True,
    retry=RetryPolicy(max_attempts=ATTEMPTS, backoff=Backoff(base_seconds=10, cap_seconds=600)),
)
def account_notice(context: Context, parameters: NoticeParameters) -> Outcome:
    """Send a mail about an account.

    The service submits it. Of an address that nobody has nothing is sent, and it completes alike.
    """
    notice = Notice.objects.select_related("user").filter(id=UUID(parameters.notice)).first()
    if notice is None:
        return Cancel("It was sent, or its account is gone.")
    meter = Meter()
    try:
        for user in who_has(notice.address) if notice.kind == FORGOTTEN else [notice.user]:
            if user is not None:
                _send(notice.kind, user)
    except (SMTPException, OSError) as error:
        told = f"The mail server does not serve: {type(error).__name__}"
        return Retry(told, "mail_server_unavailable")
    Notice.objects.filter(created__lt=timezone.now() - KEPT).delete()
    notice.delete()
    return Completed(meter.metrics(), {})


def notify(kind: str, *, user: User | None = None, address: str = "") -> None:
    """Have it sent, where there is a mail server."""
    if not settings.EMAIL_HOST or (user is not None and not user.email):
        return
    notice = Notice.objects.create(kind=kind, user=user, address=address)
    submit(
        NewJob(
            JOB_TYPE,
            parameters={"notice": str(notice.id)},
            priority=PRIORITY,
            max_attempts=ATTEMPTS,
            internal=True,
        )
    )


def _send(kind: str, user: User) -> None:
    code = code_for(user) if kind == FORGOTTEN else ""
    text = _TEXTS[kind].format(username=user.get_username(), code=code)
    send_mail("Your account", text, settings.DEFAULT_FROM_EMAIL, [user.email])


@receiver(password_set)
def _of_password(user: User, **_: object) -> None:
    notify("password", user=user)


@receiver(second_factor.changed)
def _of_second_factor(user: User, kind: str, **_: object) -> None:
    notify(kind, user=user)
