"""Names, numbers and pools."""

import pytest

from jobs.priorities import BY_NAME, Pool, name_of, parse_pools


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, "low"), (3, "low"), (4, "default"), (6, "default"), (7, "high"), (10, "high")],
)
def test_a_number_has_the_documented_name(number: int, name: str) -> None:
    assert name_of(number) == name


@pytest.mark.parametrize("name", BY_NAME)
def test_a_name_comes_back_as_itself(name: str) -> None:
    assert name_of(BY_NAME[name]) == name


def test_pools_are_read_from_one_line() -> None:
    assert parse_pools("high=7-10:4, low=0-6:2") == {
        "high": Pool("high", 7, 10, 4),
        "low": Pool("low", 0, 6, 2),
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("high=7-10", "is not name=lowest-highest:threads"),
        ("high=7-11:4,low=0-6:2", "priorities run from 0 to 10"),
        ("high=9-7:4,low=0-6:2", "priorities run from 0 to 10"),
        ("high=7-10:0,low=0-6:2", "threads run from 1 to 64"),
        ("high=7-10:4,high=0-6:2", "twice"),
        ("high=7-10:4,low=0-5:2", r"priorities \[6\] without a pool"),
        ("", "without a pool"),
    ],
)
def test_a_bad_line_is_refused_in_words(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_pools(text)
