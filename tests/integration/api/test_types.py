"""GET jobs/types: every job type as data, from which a request can be made."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from jobs.processors.registry import processors
from tests.integration.api.asking import assert_headers, errors_of, post, problem_of

TYPES = "/api/v1/jobs/types"


def types(api: Client) -> dict[str, Any]:
    response = api.get(TYPES)
    assert response.status_code == 200
    assert_headers(response)
    [(name, results)] = response.json().items()
    assert name == "results"
    return {one["job_type"]: one for one in results}


def test_all_types_are_there(api: Client) -> None:
    found = types(api)

    assert list(found) == sorted(name for name, one in processors().items() if not one.internal)
    assert {tuple(one) for one in found.values()} == {
        (
            "job_type",
            "title",
            "description",
            "source_file",
            "target_formats",
            "parameters",
            "priority",
            "retry",
            "time_limits",
        )
    }


def test_time_limits_are_those_that_count(api: Client, settings: Settings) -> None:
    settings.JOB_SOFT_LIMIT_SECONDS, settings.JOB_HARD_LIMIT_SECONDS = 20.0, 30.0
    found = types(api)
    assert found["simulate"]["time_limits"] == {"soft_seconds": 20.0, "hard_seconds": 30.0}
    assert found["send_email"]["time_limits"] == {"soft_seconds": 300, "hard_seconds": 360}


def test_what_is_told_of_the_types_of_the_service(api: Client) -> None:
    found = types(api)

    assert found["transcode"]["source_file"] == "stored"
    assert {"mp4", "webm", "jpg"} <= set(found["transcode"]["target_formats"])
    assert found["transcode"]["parameters"]["properties"] == {}
    mail = found["send_email"]
    assert (mail["source_file"], mail["target_formats"]) == ("none", [])
    assert mail["title"] == "Send an e-mail."
    assert mail["retry"]["max_attempts"] == 5
    schema = mail["parameters"]
    assert schema["required"] == ["recipient", "subject", "body"]
    assert schema["additionalProperties"] is False
    assert {one["type"] for one in schema["properties"]["recipient"]["anyOf"]} == {
        "string",
        "array",
    }
    rate = found["simulate"]["parameters"]["properties"]["failure_rate"]
    assert (rate["minimum"], rate["maximum"], rate["default"]) == (0, 1, 0.0)


@pytest.mark.django_db
def test_the_api_takes_what_the_schema_takes(api: Client) -> None:
    bounds = types(api)["simulate"]["parameters"]["properties"]["failure_rate"]
    job = {"job_type": "simulate", "source_file": "a.mp4", "target_format": "avi"}

    for rate in (bounds["minimum"], bounds["maximum"]):
        assert post(api, {**job, "parameters": {"failure_rate": rate}}).status_code == 201
    response = post(api, {**job, "parameters": {"failure_rate": bounds["maximum"] + 0.001}})
    document = problem_of(response, 400, "validation_error")
    assert errors_of(document) == {("parameters.failure_rate", "out_of_range")}


@pytest.mark.django_db
def test_mail_without_a_server_is_refused(api: Client) -> None:
    parameters = {"recipient": "a@example.org", "subject": "Done", "body": "It is done."}
    response = post(api, {"job_type": "send_email", "parameters": parameters})

    assert errors_of(problem_of(response, 422, "validation_error")) == {
        ("job_type", "no_mail_server")
    }
