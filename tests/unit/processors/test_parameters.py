"""Parameters of a job type: what is taken, and how each mistake is named."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from jobs.processors.addresses import EmailAddress
from jobs.processors.contract import Invalid, together
from jobs.processors.parameters import MAX_NAMED, NONE, Declared, NoParameters, read


class Colour(StrEnum):
    RED = "red"


class Inner(Declared):
    depth: int


def _even(value: int) -> int:
    if value % 2:
        raise PydanticCustomError("odd", "This must be even")
    return value


class Everything(Declared):
    number: int = Field(default=1, ge=1, le=9)
    share: float = 0.5
    text: str = Field(default="ab", min_length=2, max_length=4, pattern="^[a-z]*$")
    switch: bool = False
    day: date | None = None
    pair: tuple[int, int] = (1, 2)
    colour: Colour = Colour.RED
    mode: Literal["fast", "slow"] = "fast"
    inner: Inner | None = None
    even: Annotated[int, AfterValidator(_even)] = 2
    address: EmailAddress = "a@example.org"


class Needed(Declared):
    needed: str


def errors(model: type[Declared], values: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        read(model, values)
    every = caught.value.each()
    assert all(one.detail.endswith(".") for one in every)
    assert {one.status for one in every} == {400}
    return [(one.field.removeprefix("parameters").removeprefix("."), one.code) for one in every]


def test_values_are_taken_as_json_has_them() -> None:
    taken = read(
        Everything,
        {
            "share": 1,
            "day": "2026-02-28",
            "pair": [3, 4],
            "colour": "red",
            "inner": {"depth": 1},
            "address": "somebody@intranet.local",
        },
    )

    assert (taken.share, taken.day, taken.pair) == (1.0, date(2026, 2, 28), (3, 4))
    assert (taken.colour, taken.inner) == (Colour.RED, Inner(depth=1))


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("number", "5", "invalid"),
        ("number", 5.5, "invalid"),
        ("number", True, "invalid"),
        ("number", None, "invalid"),
        ("number", 0, "out_of_range"),
        ("number", 10, "out_of_range"),
        ("number", 10**30, "out_of_range"),
        ("share", "0.5", "invalid"),
        ("share", False, "invalid"),
        ("text", 5, "invalid"),
        ("text", "a", "min_length"),
        ("text", "abcde", "max_length"),
        ("text", "AB", "invalid_format"),
        ("switch", 1, "invalid"),
        ("switch", "true", "invalid"),
        ("day", "tomorrow", "invalid"),
        ("pair", [1], "required"),
        ("colour", "blue", "invalid_choice"),
        ("mode", "medium", "invalid_choice"),
        ("inner", [], "invalid"),
        ("even", 3, "odd"),
        ("address", "nobody", "invalid_email"),
        ("address", "a@example.org\nBcc: b@example.org", "invalid_email"),
        ("address", f"{'a' * 250}@example.org", "max_length"),
        ("speed", 1, "unknown_parameter"),
    ],
)
def test_mistakes(field: str, value: object, code: str) -> None:
    [(named, found)] = errors(Everything, {field: value})

    assert (named.partition(".")[0], found) == (field, code)


def test_nested_mistakes_name_the_way() -> None:
    assert errors(Everything, {"inner": {"depth": "x", "more": 1}}) == [
        ("inner.depth", "invalid"),
        ("inner.more", "unknown_parameter"),
    ]


def test_all_mistakes_are_named_at_once() -> None:
    assert errors(Needed, {"speed": 1, "\udcff": 2}) == [("", "invalid")]
    assert errors(Needed, {"speed": 1, "needid": "x"}) == [
        ("needed", "required"),
        ("speed", "unknown_parameter"),
        ("needid", "unknown_parameter"),
    ]


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match=r"No parameter 'speed'\. Known: needed\.") as caught:
        read(Needed, {"needed": "x", "speed": 1})
    assert caught.value.others == []
    with pytest.raises(Invalid, match="This job type takes none"):
        read(NoParameters, {"speed": 1})


def test_a_flood_is_answered_shortly() -> None:
    found = errors(Needed, {f"{number}{'x' * 5000}": 1 for number in range(500)})

    assert len(found) == MAX_NAMED
    assert sum(len(name) for name, _ in found) < 3000


def test_what_is_read_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        NONE.speed = 1  # type: ignore[attr-defined]


def test_together_prefers_the_status_of_form() -> None:
    missing = Invalid("source_file", "source_not_found", "no", status=422)
    wrong = Invalid("target_format", "unknown_format", "no")

    assert together([missing]).status == 422
    assert together([missing, wrong]).status == 400
    assert [one.field for one in together([together([missing, wrong]), missing]).each()] == [
        "source_file",
        "target_format",
        "source_file",
    ]
