"""What is not meant kindly: always a 4xx problem, never a 500, never a row."""

import io
import json
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.api.middleware import ApiPathMiddleware
from jobs.api.wsgi import with_readable_content_type
from jobs.models import Job, Schedule
from tests.integration.api.asking import SUBMIT, VIDEO, post, problem_of, refused
from tests.schedules import hourly

pytestmark = pytest.mark.django_db

START = b'{"source_file": "a.mp4", "target_format": "avi", '
SAME_CLIENT = settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", SUBMIT),
        ("POST", "/api/v1/jobs"),
        ("POST", "/api/v1/schedules"),
        ("PATCH", "/api/v1/schedules/{}"),
    ],
)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed_json"),
        (b"source_file=a.mp4", "malformed_json"),
        (b"[" * 100_000, "too_deep"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (START + b'"parameters": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "too_deep"),
        (START + b'"priority": NaN}', "malformed_json"),
        (START + b'"priority": -Infinity}', "malformed_json"),
        (START + b'"priority": 1e999}', "number_out_of_range"),
        (START + b'"priority": ' + b"9" * 4000 + b"}", "number_out_of_range"),
        (START + b'"priority": ' + b"9" * 5000 + b"}", "number_out_of_range"),
        (START + b'"source_file": "b.mp4"}', "duplicate_key"),
        (START + b'"parameters": {"failure_rate": 0, "failure_rate": 1}}', "duplicate_key"),
        (START + b'"job_type": "simul\\u0000ate"}', "bad_character"),
        (START + b'"job_type": "\\ud800"}', "bad_character"),
        (START + b'"parameters": {"a\\u0000": 1}}', "bad_character"),
        (START + b'"parameters": {"a": ["\\udfff"]}}', "bad_character"),
        (START + b'"\\ud800": 1}', "bad_character"),
        (b'{"source_file": "a\\u0000.mp4", "target_format": "avi"}', "bad_character"),
        (b'{"source_file": "\\ud83d.mp4", "target_format": "avi"}', "bad_character"),
        (b'{"source_file": "a\0.mp4", "target_format": "avi"}', "malformed_json"),
        (b'{"source_file": "\xff.mp4", "target_format": "avi"}', "not_utf8"),
        (b'{"source_file": "\xed\xa0\x80", "target_format": "avi"}', "not_utf8"),
        (b"\xef\xbb\xbf" + json.dumps(VIDEO).encode(), "malformed_json"),
        (json.dumps(VIDEO).encode("utf-16"), "not_utf8"),
        (json.dumps(VIDEO).encode("utf-32"), "not_utf8"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else value,
)
def test_bodies(api: Client, method: str, path: str, body: bytes, code: str) -> None:
    address = path.format(hourly().id)
    before = Schedule.objects.values().get()

    refused(api.generic(method, address, body, "application/json"), 400, code)

    assert Schedule.objects.values().get() == before


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=idna",
        "application/*",
        "*/*",
        "/",
        "application/json\t/;;;=",
        "application/jsön",
        "x" * 5000,
    ],
)
def test_content_types(api: Client, content_type: str) -> None:
    refused(post(api, VIDEO, content_type), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset*=bogus''x",
        "application/json; x*=idna'en'%41",
        "application/json; charset*=utf-8''%00",
        'application/json; charset="\0"',
    ],
)
def test_content_types_that_django_itself_cannot_read(content_type: str) -> None:
    """Through the application as the server has it: the request object is where it fails."""
    environ = RequestFactory().generic("POST", SUBMIT, b"{}", "application/json").environ
    answers: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        answers.append((status, dict(headers)))

    application = with_readable_content_type(get_wsgi_application())
    body = b"".join(application({**environ, "CONTENT_TYPE": content_type}, start_response))

    [(status, headers)] = answers
    assert status.startswith("415 ")
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["code"] == "unsupported_media_type"


def test_body_without_a_length(api: Client) -> None:
    """Chunked: Django would see no body at all."""
    response = api.generic("POST", SUBMIT, headers={"Transfer-Encoding": "chunked"})

    refused(response, 411, "length_required")


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "x" * 9000, "/", ";", "a/b;q=x"]
)
def test_accept_that_cannot_be_met(api: Client, accept: str) -> None:
    response = api.post(SUBMIT, VIDEO, content_type="application/json", headers={"Accept": accept})

    refused(response, 406, "not_acceptable")


@pytest.mark.parametrize(
    "accept",
    ["application/json; a*=bogus'en'%41", "application/json; a*=idna'en'%41", "application/json;a"],
)
def test_accept_with_strange_parameters_is_no_failure(api: Client, accept: str) -> None:
    response = api.get("/api/v1/job/x/status", headers={"Accept": accept})

    assert response.status_code in {404, 406}


def post_stream(api: Client, body: io.BytesIO, length: int) -> Any:
    """Submit what the server would read from the network."""
    environment = {
        "wsgi.input": body,
        "CONTENT_LENGTH": str(length),
        "CONTENT_TYPE": "application/json",
    }
    return api.generic("POST", SUBMIT, **environment)  # type: ignore[arg-type]


class CountingBody(io.BytesIO):
    """A body that says how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        chunk = super().read(size)
        self.taken += len(chunk)
        return chunk


def test_ten_megabytes_are_not_read(api: Client) -> None:
    body = CountingBody(json.dumps(VIDEO | {"source_file": "x" * 10_000_000}).encode())

    response = post_stream(api, body, len(body.getvalue()))

    refused(response, 413, "body_too_large")
    assert body.taken <= 1_048_576 + 1


def test_body_shorter_than_it_says(api: Client) -> None:
    response = post_stream(api, io.BytesIO(b'{"source'), 500)

    refused(response, 400, "malformed_json")


class BrokenBody(io.BytesIO):
    """A client that went away."""

    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError


def test_connection_that_breaks_in_the_body(api: Client) -> None:
    response = post_stream(api, BrokenBody(), 500)

    refused(response, 400, "incomplete_body")


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "0"])
def test_content_length_that_is_none(api: Client, length: str) -> None:
    body = json.dumps(VIDEO).encode()

    response = api.generic("POST", SUBMIT, body, "application/json", CONTENT_LENGTH=length)

    assert 400 <= response.status_code < 500
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/job/%00/status",
        "/api/v1/job/a%00b/status",
        "/api/v1/job/%FF/status",
        "/api/v1/job/%ED%A0%80/status",
        "/api/%C0%AF",
        "/api/v1/jobs/health?x=%00",
        "/api/v1/jobs/health?%FF=1",
        "/api/v1/jobs/health?x=%ED%A0%80",
        "/api/v1/submit_job?a=b&c=%FE",
    ],
)
def test_addresses_that_are_not_text(api: Client, address: str) -> None:
    for method in ("GET", "POST"):
        refused(api.generic(method, address), 400, "bad_request")


def test_text_that_stands_for_none_may_be_sent(api: Client) -> None:
    problem_of(api.get("/api/v1/job/%EF%BF%BD/status"), 404, "not_found")


@pytest.mark.parametrize(("sent", "status"), [(b"%EF%BF%BD", 200), (b"%25FF", 200), (b"%FF", 400)])
def test_an_asgi_server_says_what_was_sent(sent: bytes, status: int) -> None:
    """Of both the path has U+FFFD."""
    raw = b"/api/v1/job/" + sent
    scope = {
        "type": "http", "method": "GET", "path": unquote(raw.decode()), "raw_path": raw,
        "query_string": b"", "headers": [(b"host", b"localhost")],
    }  # fmt: skip
    handle = ApiPathMiddleware(lambda request: HttpResponse())
    assert handle(ASGIRequest(scope, io.BytesIO())).status_code == status


def test_addresses_that_are_not_text_elsewhere(api: Client) -> None:
    for address in ("/admin/?x=%00", "/admin/%FF", "/%00"):
        assert api.get(address).status_code == 400


@SAME_CLIENT
@given(body=st.binary(max_size=300))
def test_any_bytes(api: Client, body: bytes) -> None:
    response = post(api, body)

    assert 400 <= response.status_code < 500
    problem_of(response, response.status_code, response.json()["code"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@SAME_CLIENT
@given(
    body=st.dictionaries(
        st.sampled_from(["source_file", "target_format", "priority", "job_type", "parameters"]),
        JSON | st.sampled_from(["a.mp4", "avi", "high", 7, "simulate", "transcode"]),
        max_size=5,
    )
)
def test_any_values_of_the_fields(api: Client, body: dict[str, Any]) -> None:
    before = Job.objects.count()

    response = post(api, body)

    assert response.status_code in {201, 400, 422}, response.content[:500]
    assert Job.objects.count() - before == (response.status_code == 201)
