"""What happened to accounts, in the log: who got in, who did not, what was given out and ended.
Each line has the id of its request; none has a password, a code or a token."""

from typing import Any

import structlog
from axes.signals import user_locked_out
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.client_address import client_address
from accounts.models import Token
from accounts.passwords import password_set

log = structlog.get_logger(__name__)


@receiver(user_logged_in)
def _logged_in(request: HttpRequest, user: User, **_: Any) -> None:
    log.info("login.done", user=user.pk, client=client_address(request))


@receiver(user_logged_out)
def _logged_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    log.info("logout.done", user=user.pk if user else None, client=client_address(request))


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    client = "" if request is None else client_address(request)
    log.warning("login.failed", username=credentials.get("username"), client=client)


@receiver(user_locked_out)
def _locked(request: HttpRequest, username: str, **_: Any) -> None:
    log.warning("login.locked", username=username, client=client_address(request))


@receiver(password_set)
def _password(user: User, **_: Any) -> None:
    log.info("password.set", user=user.pk)


@receiver(post_save, sender=Token)
def _token_made(instance: Token, created: bool, **_: Any) -> None:
    if created:
        log.info(
            "token.made", user=instance.user_id, token=str(instance.id), scopes=instance.scopes
        )


@receiver(post_delete, sender=Token)
def _token_ended(instance: Token, **_: Any) -> None:
    log.info("token.ended", user=instance.user_id, token=str(instance.id))
