"""Who asks: by a token, else by the session of a page.

Settings name the classes here, so nothing of rest_framework.views may be imported.
"""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.crypto import hash_token
from knox.settings import knox_settings
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.lookup import token_of_digest
from accounts.models import Token


class TokenAuthentication(KnoxAuthentication):  # type: ignore[misc]  # knox has no types
    """`Authorization: Token mp_...`. `request.auth` is the row of the token."""

    def authenticate(self, request: Request | HttpRequest) -> tuple[User, Token] | None:
        """None when the header is not there or of another scheme.

        Raises AuthenticationFailed, also for bytes that no token has: knox answers those with 500.
        """
        if not str(request.META.get("HTTP_AUTHORIZATION", "")).isascii():
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate(request)  # type: ignore[no-any-return]

    def authenticate_credentials(self, token: bytes) -> tuple[User, Token]:
        """The user and the row. One look-up by the digest, which nobody can aim: knox's own reads
        all tokens of the user as well."""
        found = self.look_up(hash_token(token.decode()))
        now = timezone.now()
        if found is None or not found.user.is_active:
            raise AuthenticationFailed("Invalid token.")
        if found.expiry is not None and found.expiry <= now:
            found.delete()
            raise AuthenticationFailed("Invalid token.")
        self._touch(found)
        return found.user, found

    def look_up(self, digest: str) -> Token | None:
        """The row with its user; None when there is none."""
        return token_of_digest(digest)

    def _touch(self, token: Token) -> None:
        """Note the use, at most once in MIN_REFRESH_INTERVAL. A login's token lives on with each
        use, up to AUTO_REFRESH_MAX_TTL after it was made."""
        now = timezone.now()
        interval = timedelta(seconds=knox_settings.MIN_REFRESH_INTERVAL)
        if token.last_used_at is not None and now - token.last_used_at < interval:
            return
        changed: dict[str, Any] = {"last_used_at": now}
        if token.lives_on:
            latest = token.created + knox_settings.AUTO_REFRESH_MAX_TTL
            changed["expiry"] = min(now + knox_settings.TOKEN_TTL, latest)
        Token.objects.filter(digest=token.digest).update(**changed)
