"""The parameters of a job type: declared once as a model; the API's check and docs come from it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from jobs.processors.contract import Invalid, together

MAX_NAMED = 20
MAX_SHOWN = 100
MAX_DETAIL = 300

# The codes of the API, for the kinds of error that pydantic tells apart.
_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown_parameter",
    "string_too_long": "max_length",
    "too_long": "max_length",
    "string_too_short": "min_length",
    "too_short": "min_length",
    "string_pattern_mismatch": "invalid_format",
    "enum": "invalid_choice",
    "literal_error": "invalid_choice",
    **dict.fromkeys(
        (
            "finite_number",
            "greater_than",
            "greater_than_equal",
            "int_parsing_size",
            "less_than",
            "less_than_equal",
            "multiple_of",
        ),
        "out_of_range",
    ),
}
_OF_PYDANTIC = frozenset(get_args(ErrorType))


class Declared(BaseModel):
    """Base of the parameters of a job type.

    Values are taken as JSON has them: nothing is converted ("5" is no number), nothing undeclared
    is taken, no NaN. A `PydanticCustomError` of a validator keeps its type as the API's code.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class NoParameters(Declared):
    """This job type takes none."""


NONE = NoParameters()
P = TypeVar("P", bound=Declared)


def read(model: type[P], values: Mapping[str, Any]) -> P:
    """The values as the model. Raises Invalid, which names all that is wrong."""
    try:
        # As JSON: a date is a string there and a tuple a list, which strict Python values are not.
        return model.model_validate_json(json.dumps(dict(values)))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise together(_invalid(one, model) for one in found[:MAX_NAMED]) from None


def _invalid(error: ErrorDetails, model: type[Declared]) -> Invalid:
    name = ".".join(str(part)[:MAX_SHOWN] for part in error["loc"])
    kind = error["type"]
    code = _CODES.get(kind) or ("invalid" if kind in _OF_PYDANTIC else kind)
    return Invalid(
        f"parameters.{name}" if name else "parameters", code, _detail(error, name, model)
    )


def _detail(error: ErrorDetails, name: str, model: type[Declared]) -> str:
    if error["type"] != "extra_forbidden":
        return f"{error['msg'][:MAX_DETAIL]}."
    if len(error["loc"]) > 1:
        return f"There is no {name!r}."
    known = ", ".join(sorted(_names(model)))
    return f"No parameter {name!r}. " + (
        f"Known: {known}." if known else "This job type takes none."
    )


def _names(model: type[Declared]) -> Iterator[str]:
    return (field.alias or name for name, field in model.model_fields.items())
