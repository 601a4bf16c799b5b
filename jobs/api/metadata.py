"""What clients put on a job for themselves: small JSON, echoed back, looked for in lists."""

import json
from collections.abc import Mapping
from typing import Any

from django.db.models import F, Func, Q, TextField, Value
from django.db.models.lookups import Exact
from rest_framework import serializers

PREFIX = "metadata."
MAX_BYTES = 4096
MAX_DEPTH = 4
MAX_FILTERS = 3
MAX_FILTER = 200


class MetadataField(serializers.DictField):
    """An object of at most 4 kB as JSON, nested at most 4 deep."""

    default_error_messages = {  # noqa: RUF012 - REST framework merges these by class
        "not_a_dict": "Give an object.",
        "too_large": f"Give at most {MAX_BYTES} bytes as JSON.",
        "too_deep": f"Nest at most {MAX_DEPTH} deep.",
    }

    def to_internal_value(self, data: Any) -> dict[Any, Any]:
        """Refuse what is too large or too deep."""
        value = super().to_internal_value(data)
        if _depth(value) > MAX_DEPTH:
            self.fail("too_deep")
        if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_BYTES:
            self.fail("too_large")
        return value


def split_filters(given: Mapping[str, Any]) -> tuple[dict[str, Any], Q]:
    """The filters without those of metadata, and what these ask: `metadata.<key>` is that text.

    Raises ValidationError.
    """
    asked = {name: value for name, value in given.items() if name.startswith(PREFIX)}
    condition = Q()
    for name, value in asked.items():
        key = name.removeprefix(PREFIX)
        if not key or len(key) > MAX_FILTER or len(value) > MAX_FILTER:
            detail = f"Give a key and a value of at most {MAX_FILTER} characters."
            raise serializers.ValidationError({name[:MAX_FILTER]: detail}, code="invalid")
        condition &= Q(Exact(_text_of(key), value))
    if len(asked) > MAX_FILTERS:
        raise serializers.ValidationError(
            {PREFIX[:-1]: f"Give at most {MAX_FILTERS} filters of metadata."}, code="too_many"
        )
    return {name: value for name, value in given.items() if name not in asked}, condition


def _text_of(key: str) -> Func:
    return Func(
        F("metadata"), Value(key), function="jsonb_extract_path_text", output_field=TextField()
    )


def _depth(value: Any) -> int:
    """The parser has bounded it."""
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
