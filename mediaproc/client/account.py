"""Who the client is."""

from typing import Any

from mediaproc.client.creating import body
from mediaproc.client.transport import Transport


class Account:
    """Register, log in and out. A login's token is the client's from then on."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def register(self, username: str, password: str, *, email: str = "") -> dict[str, Any]:
        """A new account, where the service lets people register. Log in afterwards; where the
        service sends mail, `confirm` first."""
        fields = body(username=username, password=password, email=email or None)
        return dict(self._transport.ask("POST", "auth/register", json=fields, again=False))

    def confirm(self, username: str, code: str) -> None:
        """Confirm the address with the code that was sent to it."""
        fields = {"username": username, "code": code}
        self._transport.request("POST", "auth/confirm", json=fields, again=False)

    def login(self, username: str, password: str, **more: Any) -> str:
        """A new token, which may also be given to `Client(url, token)`. `more`: name, scopes, otp.

        Raises NotAuthenticated, with the code `otp_required` where the account has a second factor
        and no `otp` was given.
        """
        fields = body(username=username, password=password, **more)
        # Not again: a code is good for one time.
        answer = self._transport.ask("POST", "auth/login", json=fields, again=False)
        self._transport.token = str(answer["token"])
        return self._transport.token

    def logout(self) -> None:
        """Give the token up: it is not valid any more."""
        self._transport.request("POST", "auth/logout", again=False)
        self._transport.token = None

    def me(self) -> dict[str, Any]:
        """The account."""
        return dict(self._transport.ask("GET", "auth/me"))
