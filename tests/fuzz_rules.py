"""What schemathesis must not hold against the service: rules of meaning that no JSON schema says.

Loaded by schemathesis itself (`hooks` of its settings). What drops a failure here is what the
answer says, never the operation alone.
"""

from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

# As `field:code` of an error, or `:code` of a problem without fields.
# Objects of any form hold numbers of any size, and each other.
_FREE = {":number_out_of_range", ":too_deep"}
# Processors say what they want, and in which they are asked what.
_WORK = {
    "job_type:required", "job_type:unknown_job_type", "job_type:no_mail_server",
    "source_file:required", "source_file:not_taken", "source_file:outside_store",
    "source_file:source_not_found", "target_format:required", "target_format:not_taken",
    "target_format:unknown_format", "parameters:*", "parameters.*:*",
    *_FREE,
}  # fmt: skip
# Now goes on; fields agree with each other; addresses are looked at closely; UTF-8 is counted.
_JOB = _WORK | {
    "scheduled_at:in_the_past", "scheduled_at:out_of_range", "scheduled_at:required",
    "scheduled_time:in_the_past", "scheduled_time:out_of_range", "scheduled_time:conflict",
    "schedule_type:conflict", "soft_limit_seconds:out_of_range", "callback_url:bad_target",
    "metadata:too_large", "metadata:too_deep",
}  # fmt: skip
_SCHEDULE = _WORK | {"name:not_unique", "cron:bad_cron", "time_zone:unknown_time_zone"}
_PASSWORD = {"password_too_common", "password_too_obvious", "password_too_similar"}
_NEW_PASSWORD = {f"new_password:{code}" for code in _PASSWORD}
_TABLE = {
    ":bad_header", ":malformed_csv", ":bad_encoding", ":bad_character", ":line_too_long", ":empty",
}  # fmt: skip
_KEY_REUSED = ":idempotency_key_reused"
RULES: dict[str, set[str]] = {
    "post_jobs": {*_JOB, _KEY_REUSED},
    # Of the older address a field that the job type does not take is unknown.
    "submit_job": {
        *_WORK, _KEY_REUSED, "source_file:unknown_field", "target_format:unknown_field",
    },
    "job_batches": {*_JOB, *_TABLE, _KEY_REUSED},
    "replay_job": {_KEY_REUSED},
    "post_schedules": {*_SCHEDULE, _KEY_REUSED},
    "patch_one_schedule": _SCHEDULE,
    "post_endpoints": {"url:bad_target", "url:unknown_host", ":too_many", _KEY_REUSED},
    "replay_endpoint": {_KEY_REUSED},
    "rotate_endpoint": {_KEY_REUSED},
    "test_endpoint": {_KEY_REUSED},
    "replay_delivery": {_KEY_REUSED},
    "callback_secrets": {_KEY_REUSED},
    "replay_jobs": {_KEY_REUSED},
    "patch_one_endpoint": {"url:bad_target", "url:unknown_host"},
    # Signed by the service.
    "get_jobs": {"cursor:invalid"},
    "job_events": {"cursor:invalid"},
    "get_schedules": {"cursor:invalid"},
    "deliveries": {"cursor:invalid"},
    "endpoint_deliveries": {"cursor:invalid"},
    "confirm": {"code:invalid"},
    "register": {
        "username:not_unique",
        "email:invalid",
        *(f"password:{code}" for code in _PASSWORD),
    },
    "password": _NEW_PASSWORD,
    "password_reset": {"email:invalid"},
    "password_reset_confirm": {"code:invalid", *_NEW_PASSWORD},
    "post_tokens": {"scopes:not_allowed", ":too_many"},
    "lease_jobs": {"pool:unknown_pool", "types:not_allowed"},
    "complete_job": _FREE,
    "leased_output": {":length_required"},
}  # fmt: skip
CANCELS: set[int] = {HTTPStatus.OK, HTTPStatus.ACCEPTED}
# What each DELETE was answered.
_deleted: dict[str, int] = {}


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Keep what a DELETE came to."""
    if case.method == "DELETE":
        _deleted[case.id] = response.status_code


@schemathesis.hook
def filter_failure(context: Any, failure: Failure, case: Any, response: Any) -> bool:
    """Whether the failure counts."""
    if isinstance(failure, UseAfterFree):
        # DELETE of a job that is not final cancels it, and says so by its status.
        return _deleted.get(failure.deleted_case_id or "") not in CANCELS
    if isinstance(failure, RejectedPositiveData):
        return not _is_by_rule(case.operation.definition.raw["operationId"], response.json())
    return True


def _is_by_rule(operation: str, problem: dict[str, Any]) -> bool:
    """Whether all that the problem names is such a rule of the operation."""
    found = [f"{error['field'] or ''}:{error['code']}" for error in problem["errors"]]
    rules = RULES.get(operation, set())
    return all(
        any(fnmatchcase(one, rule) for rule in rules) for one in found or [f":{problem['code']}"]
    )
