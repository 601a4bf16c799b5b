"""POST submit_job: the documented answer, and every value that is refused."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from jobs.models import Job
from tests.integration.api.asking import (
    SUBMIT,
    VIDEO,
    assert_headers,
    errors_of,
    post,
    problem_of,
    refused,
)

pytestmark = pytest.mark.django_db

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def test_answer_is_the_documented_one(api: Client) -> None:
    response = post(api, VIDEO)

    assert response.status_code == 201
    assert response["Content-Type"] == "application/json"
    assert_headers(response)
    job = Job.objects.get()
    body = response.json()
    assert list(body) == [
        "job_id",
        "status",
        "priority",
        "source_file",
        "target_format",
        "created_at",
        "queued_at",
        "message",
    ]
    created_at, queued_at = body.pop("created_at"), body.pop("queued_at")
    assert body == {
        "job_id": str(job.id),
        "status": "QUEUED",
        "priority": "high",
        "source_file": "video.mp4",
        "target_format": "avi",
        "message": "Job submitted successfully",
    }
    assert TIMESTAMP.fullmatch(created_at)
    assert TIMESTAMP.fullmatch(queued_at)
    assert datetime.fromisoformat(queued_at) == job.queued_at
    assert datetime.now(UTC) - datetime.fromisoformat(created_at) < timedelta(minutes=1)


def test_location_is_the_status_of_the_job(api: Client) -> None:
    response = post(api, VIDEO)

    assert api.get(response["Location"]).json()["id"] == response.json()["job_id"]


def test_trailing_slash_makes_no_difference(api: Client) -> None:
    assert api.post(f"{SUBMIT}/", VIDEO, content_type="application/json").status_code == 201


def test_times_are_utc_whatever_zone_the_server_shows(api: Client, settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"

    assert TIMESTAMP.fullmatch(post(api, VIDEO).json()["created_at"])


def test_a_job_has_as_long_to_start_as_the_setting_says(api: Client, settings: Settings) -> None:
    post(api, VIDEO)
    settings.JOB_PENDING_TIMEOUT_SECONDS = 90.0
    post(api, VIDEO)
    never, within = Job.objects.order_by("id")
    assert never.expires_at is None
    assert within.expires_at == within.created_at + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("given", "number", "name"),
    [
        ("high", 10, "high"),
        ("default", 5, "default"),
        ("low", 1, "low"),
        (10, 10, "high"),
        (7, 7, "high"),
        (6, 6, "default"),
        (4, 4, "default"),
        (3, 3, "low"),
        (0, 0, "low"),
    ],
)
def test_priorities(api: Client, given: object, number: int, name: str) -> None:
    response = post(api, VIDEO | {"priority": given})

    assert response.json()["priority"] == name
    assert Job.objects.get().priority == number


def test_priority_may_be_left_out(api: Client) -> None:
    response = post(api, {"source_file": "a.mp4", "target_format": "avi"})

    assert response.json()["priority"] == "default"


def test_missing_source_is_simulated_where_that_is_on(api: Client) -> None:
    post(api, VIDEO)

    assert Job.objects.get().job_type == "simulate"


def test_missing_source_is_422_where_simulation_is_off(api: Client, settings: Settings) -> None:
    settings.SIMULATE_MISSING_SOURCES = False

    document = refused(post(api, VIDEO), 422, "validation_error")

    assert document["title"] == "Unprocessable Content"
    assert [error["field"] for error in document["errors"]] == ["source_file"]


def test_source_in_the_store_is_transcoded(api: Client, media_root: Path) -> None:
    (media_root / "sources" / "video.mp4").write_bytes(b"bytes")

    post(api, VIDEO)

    assert Job.objects.get().job_type == "transcode"


def test_job_type_and_parameters_by_name(api: Client) -> None:
    response = post(api, VIDEO | {"job_type": "simulate", "parameters": {"failure_rate": 0.1}})

    assert response.status_code == 201
    job = Job.objects.get()
    assert (job.job_type, job.parameters) == ("simulate", {"failure_rate": 0.1})


def test_text_is_kept_as_it_came(api: Client) -> None:
    name = " Été 日本 \U0001f3ac.mp4"

    assert post(api, VIDEO | {"source_file": name}).json()["source_file"] == name
    assert Job.objects.get().source_file == name


def test_longest_name(api: Client) -> None:
    name = "é" * 255

    assert post(api, VIDEO | {"source_file": name}).json()["source_file"] == name


WRONG_VALUES: list[tuple[str, Any, str]] = [
    ("source_file", "", "blank"),
    ("source_file", None, "null"),
    ("source_file", 7, "invalid"),
    ("source_file", True, "invalid"),
    ("source_file", 1.5, "invalid"),
    ("source_file", ["a"], "invalid"),
    ("source_file", {}, "invalid"),
    ("source_file", "x" * 256, "max_length"),
    ("target_format", "", "blank"),
    ("target_format", None, "null"),
    ("target_format", 7, "invalid"),
    ("target_format", "x" * 51, "max_length"),
    ("priority", "urgent", "invalid_choice"),
    ("priority", "HIGH", "invalid_choice"),
    ("priority", "7", "invalid_choice"),
    ("priority", "", "invalid_choice"),
    ("priority", 11, "out_of_range"),
    ("priority", -1, "out_of_range"),
    ("priority", 99999999999999999999, "out_of_range"),
    ("priority", True, "invalid"),
    ("priority", False, "invalid"),
    ("priority", 5.0, "invalid"),
    ("priority", None, "null"),
    ("priority", [], "invalid"),
    ("priority", {"name": "high"}, "invalid"),
    ("job_type", "", "blank"),
    ("job_type", None, "null"),
    ("job_type", 7, "invalid"),
    ("job_type", "x" * 51, "max_length"),
    ("job_type", "bitcoin", "unknown_job_type"),
    ("parameters", "text", "not_a_dict"),
    ("parameters", [], "not_a_dict"),
    ("parameters", None, "null"),
]


@pytest.mark.parametrize(("field", "value", "code"), WRONG_VALUES)
def test_wrong_values(api: Client, field: str, value: object, code: str) -> None:
    document = refused(post(api, VIDEO | {field: value}), 400, "validation_error")

    assert errors_of(document) == {(field, code)}


def test_unknown_target_format(api: Client) -> None:
    document = refused(post(api, VIDEO | {"target_format": "exe"}), 400, "validation_error")

    assert [error["field"] for error in document["errors"]] == ["target_format"]


@pytest.mark.parametrize("name", ["../secret.mp4", "a/../../b.mp4", "/etc/passwd", ".."])
def test_source_outside_the_store(api: Client, name: str) -> None:
    document = refused(post(api, VIDEO | {"source_file": name}), 400, "validation_error")

    assert [error["field"] for error in document["errors"]] == ["source_file"]


def test_wrong_parameters_of_a_job_type(api: Client) -> None:
    parameters = {"failure_rate": 2, "speed": 1}
    response = post(api, VIDEO | {"job_type": "simulate", "parameters": parameters})

    document = refused(response, 400, "validation_error")
    assert errors_of(document) == {
        ("parameters.failure_rate", "out_of_range"),
        ("parameters.speed", "unknown_parameter"),
    }
    assert document["detail"] == "Not valid: parameters.failure_rate, parameters.speed."


def test_source_and_target_only_where_the_type_has_them(api: Client) -> None:
    response = post(api, {"job_type": "noop"})

    assert response.status_code == 201
    assert (response.json()["source_file"], response.json()["target_format"]) == ("", "")
    document = problem_of(post(api, VIDEO | {"job_type": "noop"}), 400, "validation_error")
    assert errors_of(document) == {
        ("source_file", "unknown_field"),
        ("target_format", "unknown_field"),
    }


def test_the_type_says_the_usual_priority(api: Client) -> None:
    post(api, {"job_type": "urgent"})
    post(api, {"job_type": "urgent", "priority": "low"})

    assert [job.priority for job in Job.objects.order_by("id")] == [9, 1]


@pytest.mark.parametrize("body", [{}, {"priority": "low"}])
def test_required_fields(api: Client, body: object) -> None:
    document = refused(post(api, body), 400, "validation_error")

    assert errors_of(document) == {("source_file", "required"), ("target_format", "required")}
    assert document["detail"] == "Not valid: source_file, target_format."


@pytest.mark.parametrize("body", [[], [VIDEO], "text", 7, None, True])
def test_body_that_is_no_object(api: Client, body: object) -> None:
    document = refused(post(api, body), 400, "validation_error")

    assert [error["field"] for error in document["errors"]] == [None]


def test_no_body_at_all(api: Client) -> None:
    document = refused(post(api, b""), 400, "validation_error")

    assert errors_of(document) == {("source_file", "required"), ("target_format", "required")}


def test_unknown_fields_are_named_together_with_other_errors(api: Client) -> None:
    document = refused(
        post(api, {"sorce_file": "a", "target_format": 7, "Priority": "high"}),
        400,
        "validation_error",
    )

    assert errors_of(document) == {
        ("sorce_file", "unknown_field"),
        ("Priority", "unknown_field"),
        ("source_file", "required"),
        ("target_format", "invalid"),
    }


@pytest.mark.parametrize(
    "field",
    sorted(
        {field.name for field in Job._meta.get_fields()}
        - {"source_file", "target_format", "priority", "job_type", "parameters"}
    ),
)
def test_no_other_column_can_be_set(api: Client, field: str) -> None:
    document = refused(post(api, VIDEO | {field: 1}), 400, "validation_error")

    assert errors_of(document) == {(field, "unknown_field")}


def test_a_flood_of_unknown_fields_gets_a_short_answer(api: Client) -> None:
    response = post(api, {str(n) + "x" * 500: 1 for n in range(1000)})

    document = problem_of(response, 400, "validation_error")
    assert len(response.content) < 10_000
    assert ("source_file", "required") in errors_of(document)
