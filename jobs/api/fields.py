"""What the bodies of the API are made of."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, NoReturn, cast
from uuid import UUID

from rest_framework import serializers

from jobs.priorities import BY_NAME, HIGHEST, LOWEST, name_of
from jobs.states import Status
from jobs.targets import MAX_URL

MAX_UNKNOWN_NAMED = 20
MAX_SHOWN = 100
STATUSES = [status.value for status in Status]


class TextField(serializers.CharField):
    """A string that is taken as it is: no numbers, no trimming."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Refuse what is not a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """true or false: REST framework takes many other words and numbers."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse what is not a boolean in JSON."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class TargetField(TextField):
    """An address that the service is to call."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_URL, **options)


class IdField(serializers.UUIDField):
    """An id as text: REST framework takes numbers too, and false for 0."""

    def to_internal_value(self, data: Any) -> UUID:
        """Refuse what is not a string."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class SomeOfField(serializers.ListField):
    """Some of the choices: each once, in their order."""

    def __init__(self, choices: Sequence[str], **options: Any) -> None:
        super().__init__(
            child=serializers.ChoiceField(choices=choices), max_length=len(choices), **options
        )
        self._choices = choices

    def to_internal_value(self, data: Any) -> list[str]:
        """Refuse what is longer, though it may say the same twice."""
        given = super().to_internal_value(data)
        if len(given) > len(self._choices):
            self.fail("max_length", max_length=len(self._choices))
        return [choice for choice in self._choices if choice in given]


class PriorityField(serializers.Field[int, Any, str, int]):
    """A name or a number in the request, a number inside, the name in the answer."""

    default_error_messages = {  # noqa: RUF012 - REST framework merges these by class
        "invalid": f"Give {', '.join(BY_NAME)} or an integer from {LOWEST} to {HIGHEST}.",
        "invalid_choice": f"There is no such priority. Known: {', '.join(BY_NAME)}.",
        "out_of_range": f"The number must be from {LOWEST} to {HIGHEST}.",
    }

    def to_internal_value(self, data: Any) -> int:
        """The number of a priority."""
        if isinstance(data, str):
            return BY_NAME[data] if data in BY_NAME else self._refuse("invalid_choice")
        if isinstance(data, bool) or not isinstance(data, int):
            self._refuse("invalid")
        return data if LOWEST <= data <= HIGHEST else self._refuse("out_of_range")

    def to_representation(self, value: int) -> str:
        """The name of a priority."""
        return name_of(value)

    def _refuse(self, code: str) -> NoReturn:
        self.fail(code)


class Moment(serializers.DateTimeField):
    """ISO 8601 in UTC with a `Z`, whatever TIME_ZONE is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)


class StatusField(serializers.ChoiceField):
    """Where a job stands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=STATUSES, **options)


class StrictSerializer(serializers.Serializer[Any]):
    """A body in which every field is declared: a misspelt one would be ignored silently."""

    def to_internal_value(self, data: Any) -> Any:
        """Also refuse fields that are not declared."""
        unknown = self._unknown(data)
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(
                {**unknown, **cast("dict[str, Any]", error.detail)}
            ) from None
        if unknown:
            raise serializers.ValidationError(unknown)
        return values

    def _unknown(self, data: Any) -> dict[str, list[serializers.ErrorDetail]]:
        if not isinstance(data, Mapping):
            return {}
        names = [name[:MAX_SHOWN] for name in data if name not in self.fields]
        detail = f"There is no such field. Known: {', '.join(self.fields)}."
        return {
            name: [serializers.ErrorDetail(detail, "unknown_field")]
            for name in names[:MAX_UNKNOWN_NAMED]
        }
