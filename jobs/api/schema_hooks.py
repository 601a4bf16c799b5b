"""What the OpenAPI document says of every operation alike."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from jobs.api.document import CONTENT_TYPE

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; the texts are for people.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string", "nullable": True},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["field", "code", "detail"],
            },
        },
        "request_id": {"type": "string", "description": "Of a 5xx: what the log calls it."},
        "job_status": {"type": "string", "description": "Of a conflict: what the job is."},
    },
    "required": ["type", "title", "status", "detail", "instance", "code", "errors"],
}
ERRORS = {
    400: "The request cannot be read or is not valid.",
    401: "The credentials are missing or wrong.",
    403: "This is not allowed.",
    404: "There is nothing here, or it is somebody else's.",
    405: "There is no such method here.",
    406: "No answer of the wanted type.",
    409: "What the job is does not allow it, or somebody else is at it.",
    410: "The output is not there any more.",
    411: "The body has no length.",
    413: "The body is too large.",
    415: "The body is of a type that is not taken here.",
    416: "The file has no such part.",
    422: "The moment has passed, or an Idempotency-Key came with another body before.",
    429: "Too many requests or jobs; Retry-After says when.",
    500: "The service failed.",
    503: "The service or its database is not there now; Retry-After says when.",
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Sent again with it within 24 hours, the request is answered as before.",
    "schema": {"type": "string", "pattern": "^[!#-\\[\\]-~]{1,255}$"},
    "example": "9f1b8e0c-order-17",
}
# What makes something takes it: what is answered 201, and these. docs/api.md says what does not.
_TAKE_A_KEY = {
    "replay_jobs", "rotate_endpoint", "test_endpoint", "replay_endpoint", "replay_delivery",
    "callback_secrets",
}  # fmt: skip
# From the answer that makes something to the operations on it: operation, parameter, where it is.
_OF_A_JOB = (
    "get_one_job",
    "job_events",
    "cancel_job",
    "delete_one_job",
    "job_output",
    "output_link",
)
_OF_A_SCHEDULE = (
    "get_one_schedule", "patch_one_schedule", "pause_schedule", "resume_schedule",
    "delete_one_schedule",
)  # fmt: skip
_OF_AN_ENDPOINT = (
    "get_one_endpoint", "patch_one_endpoint", "endpoint_deliveries", "test_endpoint",
    "rotate_endpoint", "delete_one_endpoint",
)  # fmt: skip
_NEW_PASSWORDS = (("RegisterRequest", "password"), ("NewPasswordRequest", "new_password"))
# No field of their bodies is required, but one of them is.
_SAY_SOMETHING = {"job_batches", "retry_jobs", "replay_jobs"}
_LINKS = {
    "post_jobs": ("job_id", "id", _OF_A_JOB),
    "replay_job": ("job_id", "id", ("get_one_job",)),
    "submit_job": ("job_id", "job_id", ("job_status", "get_one_job", "cancel_job")),
    "job_batches": ("batch_id", "batch", ("cancel_batch",)),
    "post_endpoints": ("endpoint_id", "id", _OF_AN_ENDPOINT),
    "post_schedules": ("schedule_id", "id", _OF_A_SCHEDULE),
}
# By operation: a body, and what it was answered. Only what is made or signed anew differs.
EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text())


def add_errors(result: Any, **_: Any) -> Any:
    """Every operation may answer every error, as a problem document."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    result["components"]["responses"] = {
        f"Error{status}": {"description": text, "content": content}
        for status, text in ERRORS.items()
    }
    for operation in _operations(result):
        for status in ERRORS:
            answer = {"$ref": f"#/components/responses/Error{status}"}
            operation["responses"].setdefault(str(status), answer)
    return result


def add_bounds(result: Any, **_: Any) -> Any:
    """What is checked, but not by the fields themselves."""
    schemas = result["components"]["schemas"]
    for body, field in _NEW_PASSWORDS:
        schemas[body]["properties"][field]["minLength"] = settings.SHORTEST_PASSWORD
    for operation in _operations(result):
        if operation["operationId"] in _SAY_SOMETHING:
            operation["requestBody"]["required"] = True
        if operation["operationId"] == "job_batches":
            operation["requestBody"]["content"]["application/json"]["schema"]["minItems"] = 1
    return result


def add_links(result: Any, **_: Any) -> Any:
    """What is made can be looked at; what makes takes an Idempotency-Key."""
    for operation in _operations(result):
        created = operation["responses"].get("201")
        made = created and "auth" not in operation["tags"]
        if made or operation["operationId"] in _TAKE_A_KEY:
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        if made:
            created.setdefault("headers", {})["Location"] = {"schema": {"type": "string"}}
        if found := _LINKS.get(operation["operationId"]):
            parameter, member, targets = found
            created["links"] = {
                target: {
                    "operationId": target,
                    "parameters": {parameter: f"$response.body#/{member}"},
                }
                for target in targets
            }
    return result


def add_examples(result: Any, **_: Any) -> Any:
    """Bodies that were sent, and their answers."""
    for operation in _operations(result):
        if example := EXAMPLES.get(operation["operationId"]):
            answer = operation["responses"][str(example["status"])]
            answer["content"]["application/json"]["example"] = example["response"]
            if "request" in example:
                body = operation["requestBody"]["content"]["application/json"]
                body["example"] = example["request"]
    return result


def _operations(result: Any) -> Iterator[Any]:
    for methods in result["paths"].values():
        yield from methods.values()
