"""The service as a remote worker sees it: one method a call of the protocol."""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from jobs.remote.client.patience import Stopped, patiently, problem_of

PROTOCOL = 1
TIMEOUT_SECONDS = 30.0
CHUNK = 1_048_576


class LeaseLost(Exception):
    """The job is not, or no longer, this worker's."""


class Refused(Exception):
    """The service will not take this request, however often it is made. code: stable."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail


class Server:
    """Makes calls, and makes them again while the service is away: each of them may be repeated.

    pause: waits so many seconds; True when the worker must not wait any longer.
    """

    def __init__(self, address: str, token: str, pause: Callable[[float], bool]) -> None:
        self._pause = pause
        self._base = httpx.URL(f"{address.rstrip('/')}/")
        self._token = {"Authorization": f"Token {token}"}
        self._http = httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)

    def lease(self, wanted: Mapping[str, Any], wait: float) -> dict[str, Any]:
        """Jobs and terms, where there are any; waited: whether it did.

        Not repeated: raises httpx.TransportError, and Refused also for a service that is away.
        """
        answer = self._http.post(
            self._address("jobs/lease"),
            json={**wanted, "version": PROTOCOL},
            headers={**self._token, "Prefer": f"wait={wait:g}"},
            timeout=TIMEOUT_SECONDS + wait,
        )
        return {"waited": "Preference-Applied" in answer.headers, **_body(answer)}

    def say(
        self,
        job: Mapping[str, Any],
        what: str,
        *,
        stopped: Callable[[], bool] = lambda: False,
        **body: Any,
    ) -> dict[str, Any]:
        """progress, complete, fail or release. Raises LeaseLost, Refused, GaveUp, and Stopped
        instead of saying it again."""
        address = self._address(f"jobs/{job['id']}/{what}")
        body["lease"] = job["lease"]
        return _body(
            patiently(
                lambda: self._http.post(address, json=body, headers=self._token),
                self._pause,
                stopped,
            )
        )

    def say_once(self, job: Mapping[str, Any], what: str, **body: Any) -> dict[str, Any]:
        """The same, not repeated: raises httpx.TransportError too."""
        address = self._address(f"jobs/{job['id']}/{what}")
        body["lease"] = job["lease"]
        return _body(self._http.post(address, json=body, headers=self._token))

    def fetch(
        self,
        signed: Callable[[], str],
        path: Path,
        stopped: Callable[[], bool],
        wait: Callable[[float], bool],
    ) -> bool:
        """Write the source to `path`, going on where a connection broke. False when stopped.

        signed: the newest address. wait: sleeps so long, at most until it is stopped. Raises
        LeaseLost, Refused, GaveUp.
        """
        path.touch()
        etag = ""
        whole = False

        def part() -> httpx.Response:
            nonlocal etag, whole
            have = path.stat().st_size if etag else 0
            headers = {"Range": f"bytes={have}-", "If-Range": etag} if have else {}
            with self._http.stream("GET", self._join(signed()), headers=headers) as answer:
                if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    whole = True  # it had come to the last byte
                    return answer
                if answer.is_error:
                    answer.read()
                    return answer
                etag = answer.headers.get("ETag", "")
                mode = "ab" if answer.status_code == httpx.codes.PARTIAL_CONTENT else "wb"
                with path.open(mode) as file:
                    for data in answer.iter_bytes(CHUNK):
                        file.write(data)
                        if stopped():
                            return answer
                whole = True
            return answer

        try:
            answer = patiently(part, wait, stopped)
        except Stopped:
            return False
        if not whole and not stopped():
            _body(answer)
        return whole

    def bring(self, signed: Callable[[], str], path: Path, stopped: Callable[[], bool]) -> None:
        """Upload an output. Raises LeaseLost, Refused, GaveUp, Stopped."""
        with path.open("rb") as file:
            digest = base64.b64encode(hashlib.file_digest(file, "sha256").digest()).decode()
        headers = {
            "Content-Digest": f"sha-256=:{digest}:",
            "Content-Length": str(path.stat().st_size),
            "Content-Type": "application/octet-stream",
        }

        def put() -> httpx.Response:
            return self._http.put(
                self._join(signed()), content=_read(path, stopped), headers=headers
            )

        _body(patiently(put, self._pause))

    def _address(self, path: str) -> httpx.URL:
        return self._base.join(f"api/v1/{path}")

    def _join(self, path: str) -> httpx.URL:
        """An address that the service gave; whatever it says, it is on that service."""
        given = httpx.URL(path)
        return self._base.copy_with(path=given.path, query=given.query)


def _read(path: Path, stopped: Callable[[], bool]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            if stopped():
                raise Stopped
            yield data


def _body(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_success:
        return dict(answer.json()) if answer.content else {}
    code, detail = problem_of(answer)
    if answer.status_code == httpx.codes.CONFLICT and code == "lease_lost":
        raise LeaseLost
    raise Refused(answer.status_code, code, detail)
