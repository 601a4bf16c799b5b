"""How a view becomes an operation of the OpenAPI document.

Settings name the class here, so nothing of rest_framework.views may be imported.
"""

import re
from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema

from jobs.priorities import BY_NAME, HIGHEST, LOWEST
from jobs.targets import MAX_URL, PATTERN

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class Operation(AutoSchema):
    """Named by its view where that has one method, and described by its docstrings."""

    def get_operation_id(self) -> str:
        """The view's name in snake_case, with the method where it has several."""
        name = _WORD.sub("_", type(self.view).__name__).lower()
        methods = [method for method in self.view.http_method_names if method != "head"]
        return name if len(methods) == 1 else f"{self.method.lower()}_{name}"

    def get_tags(self) -> list[str]:
        """The resource."""
        resource = self.path.removeprefix("/api/v1/").partition("/")[0]
        return ["jobs" if resource in {"job", "submit_job"} else resource]

    def get_summary(self) -> str:
        """What the view is, without the address."""
        return str(type(self.view).__doc__).partition("\n\n")[0].replace("\n", " ")

    def get_auth(self) -> list[dict[str, Any]]:
        """None for what is public."""
        if getattr(self.view, "public", False):
            return []
        return [scheme for scheme in super().get_auth() if scheme]


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The tokens of accounts."""

    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """A header."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token mp_...`",
        }


class StrictBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Bodies take no field that is not declared."""

    target_class = "jobs.api.fields.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> Any:
        """The fields, and nothing else."""
        mapped = auto_schema._map_serializer(  # type: ignore[no-untyped-call]
            self.target, direction, bypass_extensions=True
        )
        least = {"minProperties": 1} if getattr(self.target, "says_something", False) else {}
        return {**mapped, **least, "additionalProperties": False}


class Priorities(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Names come out; names or numbers go in."""

    target_class = "jobs.api.fields.PriorityField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> Any:
        """By direction."""
        names = {"type": "string", "enum": list(BY_NAME)}
        numbers = {"type": "integer", "minimum": LOWEST, "maximum": HIGHEST}
        return names if direction == "response" else {"oneOf": [names, numbers]}


class Targets(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Addresses that are to be called."""

    target_class = "jobs.api.fields.TargetField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> Any:
        """Without what only its host tells."""
        return {"type": "string", "pattern": PATTERN, "maxLength": MAX_URL}


class Moments(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Moments that are given."""

    target_class = "jobs.api.scheduled_at.ScheduledAtField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> Any:
        """ISO 8601."""
        return {"type": "string", "format": "date-time"}
