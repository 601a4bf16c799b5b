"""What a new password means for what was given out under the old one."""

from django.contrib.auth.models import User

from accounts.models import Token


class RevokesTokens:
    """One of AUTH_PASSWORD_VALIDATORS, because those are told of every new password, wherever it
    was set: the user's tokens end. (His sessions do by themselves.)"""

    def validate(self, password: str, user: User | None = None) -> None:
        """Every password will do."""

    def get_help_text(self) -> str:
        """For the forms of the admin."""
        return "Tokens that were made before end with the old password."

    def password_changed(self, password: str, user: User | None = None) -> None:
        """Called when a user is saved with a new password."""
        if user is not None and user.pk is not None:
            Token.objects.filter(user=user).delete()
