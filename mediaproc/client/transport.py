"""Requests that come through: repeated while that can help and can do nothing twice."""

import email.utils
import random
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from mediaproc.client.errors import ApiError, Unreachable, kind_of

API = "/api/v1/"
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
# The service did nothing, or will answer the same request once it is there again.
_LATER = frozenset({429, 502, 503, 504})
# The first request with this key is still under way.
_IN_PROGRESS = "idempotency_key_in_use"
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Transport:
    """HTTP to one service. `patience`: for how many seconds a request is tried again."""

    def __init__(self, url: str, token: str | None, *, timeout: float, patience: float) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(f"{url!r} is no http:// or https:// address.")
        self.patience = patience
        base = url.rstrip("/").removesuffix(API.rstrip("/")) + API
        self._http = httpx.Client(base_url=base, timeout=timeout)
        self.token = token

    @property
    def token(self) -> str | None:
        """What the Authorization header says, without `Token`."""
        return self._token

    @token.setter
    def token(self, token: str | None) -> None:
        # What cannot stand in a header would come back in an error's text.
        if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
            raise ValueError("A token has letters, digits and signs only.")
        self._token = token
        self._http.headers.pop("Authorization", None)
        if token is not None:
            self._http.headers["Authorization"] = f"Token {token}"

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of the answer to a request."""
        answer = self.request(method, path, **options)
        try:
            return answer.json()
        except ValueError as error:
            raise Unreachable(f"{self._http.base_url} is not this service: no JSON.") from error

    def pages(self, path: str, parameters: Any = None) -> Iterator[Any]:
        """The JSON of each page of a list, asked for as it is needed."""
        parameters = parameters or {}
        while parameters is not None:
            page = self.ask("GET", path, params=parameters)
            yield page
            # Only the query: no answer sends the token to another address.
            parameters = page["next"].partition("?")[2] if page.get("next") else None

    def request(
        self,
        method: str,
        path: str,
        *,
        again: bool = True,
        patience: float | None = None,
        stream: bool = False,
        **options: Any,
    ) -> httpx.Response:
        """The answer, 2xx or 304. `path` is below /api/v1/.

        again: whether a request that may have been carried out may be repeated. stream: the body
        is not read; close the answer. Raises ApiError, Unreachable.
        """
        deadline = time.monotonic() + (self.patience if patience is None else patience)
        for pause in pauses():
            try:
                answer = self._http.send(
                    self._http.build_request(method, path, **options), stream=stream
                )
                refused: ApiError | None = self._refusal(answer)
            except httpx.TransportError as error:
                lost = Unreachable(f"{self._http.base_url} does not answer: {_said(error)}")
                if not again and not isinstance(error, _NOTHING_SENT):
                    raise lost from error
                wait = pause
                if time.monotonic() + wait > deadline:
                    raise lost from error
            else:
                if refused is None:
                    return answer
                wait = max(pause, refused.retry_after or 0.0)
                if not _later(refused, again=again) or time.monotonic() + wait > deadline:
                    raise refused
            time.sleep(wait)
        raise AssertionError("pauses never end")

    def _refusal(self, answer: httpx.Response) -> ApiError | None:
        if answer.is_success or answer.status_code == httpx.codes.NOT_MODIFIED:
            return None
        try:
            answer.read()
        finally:
            answer.close()
        return kind_of(answer.status_code)(
            answer.status_code,
            _document(answer),
            request_id=answer.headers.get("X-Request-ID", ""),
            retry_after=_seconds(answer.headers.get("Retry-After")),
        )


def _later(refused: ApiError, *, again: bool) -> bool:
    """Whether the same request may be answered later. Without `again`, only what was not begun."""
    if refused.status == httpx.codes.TOO_MANY_REQUESTS:
        return True
    return again and (refused.status in _LATER or refused.code == _IN_PROGRESS)


def pauses() -> Iterator[float]:
    """Seconds between tries, for ever: longer and longer, and no two clients alike."""
    longest = FIRST_PAUSE
    while True:
        yield random.uniform(longest / 2, longest)  # noqa: S311 - nothing depends on it
        longest = min(2 * longest, LONGEST_PAUSE)


def _document(answer: httpx.Response) -> dict[str, Any]:
    """The problem document; of what a proxy says, only what its status means."""
    if "json" in answer.headers.get("Content-Type", ""):
        try:
            document = answer.json()
        except ValueError:
            document = None
        if isinstance(document, dict):
            return document
    elsewhere = f", to {answer.headers['Location']}" if answer.has_redirect_location else ""
    return {"detail": f"{answer.reason_phrase}{elsewhere}"}


def _seconds(header: str | None) -> float | None:
    """Retry-After: seconds or a moment."""
    if header is None:
        return None
    if header.isdigit():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
