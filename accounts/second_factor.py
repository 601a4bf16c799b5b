"""The second factor: codes of an app by the clock (TOTP); recovery codes for who has lost it."""

import secrets
from base64 import b32encode
from hashlib import sha256

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from accounts.models import App, RecoveryCode
from accounts.sealed import Unreadable, seal
from accounts.sessions import end_everything

RECOVERY_CODES = 10
SECRET_BYTES = 20
# What SECOND_FACTOR may say: who has to have one.
NOBODY, STAFF, EVERYBODY = "nobody", "staff", "everybody"
DEMANDED_OF = (NOBODY, STAFF, EVERYBODY)

# Sent with `user` and `kind`: on, off, recovery_used.
changed = Signal()

log = structlog.get_logger(__name__)


class AlreadyOn(Exception):
    """There is a second factor; it has to be taken away first."""


class TooManyCodes(Exception):
    """So many codes were wrong that the next one is not looked at yet."""

    def __init__(self, seconds: float) -> None:
        super().__init__("Too many wrong codes.")
        self.seconds = seconds


def is_on(user: User) -> bool:
    """Whether a login takes a code."""
    return bool(App.objects.filter(user=user, confirmed=True).exists())


def is_lacking(user: User) -> bool:
    """Whether SECOND_FACTOR demands one of the user, and there is none."""
    demanded = settings.SECOND_FACTOR == EVERYBODY or (
        settings.SECOND_FACTOR == STAFF and user.is_staff
    )
    return demanded and not is_on(user)


def begin(user: User) -> tuple[str, str]:
    """A new secret, and the address that an app reads it from. Raises AlreadyOn."""
    with transaction.atomic():
        _lock(user)
        if is_on(user):
            raise AlreadyOn
        App.objects.filter(user=user).delete()
        # A code counts in its own thirty seconds alone.
        key = seal(secrets.token_bytes(SECRET_BYTES), str(user.pk))
        device = App.objects.create(user=user, name="app", key=key, confirmed=False, tolerance=0)
    return b32encode(device.bin_key).decode(), device.config_url


def confirm(user: User, code: str) -> list[str] | None:
    """Switch it on; the recovery codes. None: the code is wrong, or nothing was begun. Raises
    TooManyCodes. All tokens and sessions end: they were got without it."""
    with transaction.atomic():
        _lock(user)
        device = App.objects.filter(user=user, confirmed=False).first()
        if device is None or not _fits(device, code):
            return None
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        codes = new_recovery_codes(user)
        end_everything(user)
    _tell(user, "on")
    return codes


def remove(user: User) -> None:
    """Switch it off. All tokens and sessions end."""
    with transaction.atomic():
        App.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
        end_everything(user)
    _tell(user, "off")


def is_right(user: User, code: str) -> bool:
    """Whether this is the app's code of now or a recovery code, neither of which was used before.
    Raises TooManyCodes."""
    if not (code.isascii() and code.isdigit()):
        return _use_recovery_code(user, code)
    with transaction.atomic():
        # Two requests with the same code come one after the other.
        device = App.objects.select_for_update().filter(user=user, confirmed=True).first()
        return device is not None and _fits(device, code)


def new_recovery_codes(user: User) -> list[str]:
    """New ones; those before end."""
    codes = ["-".join(_group() for _ in range(6)) for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, digest=_digest(code)) for code in codes
        )
    return codes


def seal_anew() -> list[str]:
    """Encrypt the secrets of all apps with the SECRET_KEY of now.

    The names of users whose secret no key opens: they need a recovery code, and a new app.
    """
    lost = []
    for user in User.objects.filter(totpdevice__isnull=False).distinct():
        with transaction.atomic():
            _lock(user)
            for device in App.objects.select_for_update().filter(user=user):
                try:
                    device.key = seal(device.bin_key, str(user.pk))
                except Unreadable:
                    lost.append(user.get_username())
                else:
                    device.save(update_fields=["key"])
    return lost


def _fits(device: App, code: str) -> bool:
    allowed, why = device.verify_is_allowed()
    if not allowed:
        raise TooManyCodes((why["locked_until"] - timezone.now()).total_seconds())
    try:
        return len(code) == device.digits and bool(device.verify_token(code))
    except Unreadable:
        log.error("second_factor.unreadable", user=device.user_id)
        return False


def _use_recovery_code(user: User, code: str) -> bool:
    deleted, _ = RecoveryCode.objects.filter(user=user, digest=_digest(code)).delete()
    if deleted:
        _tell(user, "recovery_used")
    return deleted > 0


def _group() -> str:
    return "".join(secrets.choice("abcdefghijkmnopqrstuvwxyz2345678") for _ in range(5))


def _digest(code: str) -> str:
    return sha256(code.strip().lower().encode(errors="replace")).hexdigest()


def _lock(user: User) -> None:
    User.objects.select_for_update().get(pk=user.pk)


def _tell(user: User, kind: str) -> None:
    log.info("second_factor.changed", user=user.pk, kind=kind)
    changed.send(sender=None, user=user, kind=kind)
