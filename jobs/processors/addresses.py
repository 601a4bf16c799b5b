"""E-mail addresses as a kind of parameter."""

from typing import Annotated

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

MAX_LENGTH = 254

# Of a network of one's own too: `.local` and the like are no mistake there.
_is_address = EmailValidator()


def _check(value: str) -> str:
    try:
        _is_address(value)
    except ValidationError:
        raise PydanticCustomError("invalid_email", "This is not an e-mail address") from None
    return value


EmailAddress = Annotated[
    str, Field(max_length=MAX_LENGTH, json_schema_extra={"format": "email"}), AfterValidator(_check)
]
