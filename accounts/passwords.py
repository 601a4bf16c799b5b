"""AUTH_PASSWORD_VALIDATORS of our own: which password will do, and what a new one means for what
was given out under the old one."""

import string
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.dispatch import Signal

from accounts.models import Token

# Of a password, beside the service's own words; and around a common one.
LEAST_REST = 8

# Sent with `user`, whenever one is saved with a new password.
password_set = Signal()


class NotEasilyGuessed(CommonPasswordValidator):
    """Refuses common passwords, also where a few digits or signs make them long enough (of 20,000
    that are known to have leaked, only few are as long as is asked for by themselves), and words of
    this service (PASSWORD_WORDS) with little beside them."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError."""
        super().validate(password, user)
        text = password.lower().strip()
        rest = text
        for word in settings.PASSWORD_WORDS:
            rest = rest.replace(word.lower(), "")
        if rest != text and len(rest) < LEAST_REST:
            raise ValidationError("This is mostly words of this service.", "password_too_obvious")
        if any(len(text) - len(part) < LEAST_REST for part in self._common_parts(text)):
            raise ValidationError("This is a common password.", "password_too_common")

    def _common_parts(self, text: str) -> Iterator[str]:
        inner = text.strip(string.digits + string.punctuation + string.whitespace)
        begins = (text[:-cut] for cut in range(1, LEAST_REST))
        ends = (text[cut:] for cut in range(1, LEAST_REST))
        yield from (part for part in (inner, *begins, *ends) if part in self.passwords)
        half = text[: len(text) // 2]
        if half in self.passwords and text == 2 * half:
            yield text

    def get_help_text(self) -> str:
        """For the forms of the admin."""
        return "It must be more than words of this service, or a common password, made longer."


class RevokesTokens:
    """Called because validators are told of every new password, wherever it was set: the user's
    tokens end. (His sessions do by themselves.)"""

    def validate(self, password: str, user: User | None = None) -> None:
        """Every password will do."""

    def get_help_text(self) -> str:
        """For the forms of the admin."""
        return "Tokens that were made before end with the old password."

    def password_changed(self, password: str, user: User | None = None) -> None:
        """Called when a user is saved with a new password."""
        if user is not None and user.pk is not None:
            Token.objects.filter(user=user).delete()
            password_set.send(sender=None, user=user)
