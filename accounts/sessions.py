"""Sessions of pages: SESSION_ENGINE. They end SESSION_IDLE_MINUTES after they were used last, and
SESSION_MOST_HOURS after the login however much they are used."""

import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from accounts.models import Session, Token

_BEGAN = "began"
_LONG = timedelta(seconds=settings.SESSION_COOKIE_AGE)
_PAUSE = timedelta(minutes=1)


class SessionStore(DatabaseStore):
    """Django's, that knows whose a session is and when it began."""

    @classmethod
    def get_model_class(cls) -> Any:
        """Django's hook."""
        return Session

    def load(self) -> dict[str, Any]:
        """Django's; one that is used is kept longer, which is written once a minute at most."""
        row = self._get_session_from_db()  # type: ignore[attr-defined]  # not in the stubs
        if row is None:
            return {}
        self.modified = row.expire_date < timezone.now() + _LONG - _PAUSE
        return self.decode(row.session_data)

    def get_session_cookie_age(self) -> int:
        """Seconds that it has left when it is not used."""
        began = self.get(_BEGAN)
        if began is None:
            return settings.SESSION_COOKIE_AGE
        ends = began + settings.SESSION_MOST_HOURS * 3600
        return min(settings.SESSION_COOKIE_AGE, max(0, int(ends - time.time())))

    def create_model_instance(self, data: Any) -> Any:
        """Django's hook."""
        if SESSION_KEY in data:
            data.setdefault(_BEGAN, int(time.time()))
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        return row


def public_id(session_key: str) -> str:
    """What names a session to its user. Who knows it cannot use the session."""
    return sha256(session_key.encode()).hexdigest()[:32]


def began(session: SessionBase | dict[str, Any]) -> datetime:
    """When somebody logged in for it."""
    return datetime.fromtimestamp(session.get(_BEGAN, 0), UTC)


def end_everything(user: User) -> None:
    """All tokens and sessions of the user end."""
    Token.objects.filter(user=user).delete()
    Session.objects.filter(user=user).delete()
