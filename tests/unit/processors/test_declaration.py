"""The decorator: a function becomes a job type, and says as data what others must know."""

from pathlib import Path

import pytest
from pytest_django import Settings

from jobs.attempt import Attempt
from jobs.outcomes import Backoff, Completed, Failed, Outcome
from jobs.processors.checks import validate
from jobs.processors.contract import Context, Invalid, RetryPolicy, TimeLimits
from jobs.processors.declaration import Processor, Source, processor
from jobs.processors.description import described
from jobs.processors.parameters import NONE, Declared, NoParameters
from jobs.testing import RecordingContext
from tests.processors import NOTHING


class Loudness(Declared):
    """How loud."""

    times: int = 1


def told(source_file: str, target_format: str, parameters: Loudness) -> None:
    if parameters.times == 13:
        raise Invalid("parameters.times", "unlucky", f"{source_file} {target_format}")


@processor(
    "shout",
    parameters=Loudness,
    source=Source.NAMED,
    formats=("txt",),
    check=told,
    retry=RetryPolicy(max_attempts=7, backoff=Backoff(2, 30)),
    limits=TimeLimits(soft=1, hard=2.5),
    priority=8,
)
def shout(context: Context, parameters: Loudness) -> Outcome:
    """Shout
    aloud.

    So that all hear it.
    """
    return Completed(NOTHING, {"said": "hey" * parameters.times})


@processor("plain")
def plain(context: Context, parameters: NoParameters) -> Outcome:
    """Nothing else."""
    assert parameters is NONE
    return Completed(NOTHING)


def attempt(of: Processor, parameters: dict[str, object]) -> RecordingContext:
    context = RecordingContext()
    context.attempt = Attempt(
        "01890a5d-ac96-774b-bcce-b302099a8057", 1, 1, 1, of.job_type, "", "", 5, parameters
    )
    return context


def wrong(of: Processor, source: str, target: str, **parameters: object) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        validate(of, source, target, parameters)
    return {(one.field, one.code) for one in caught.value.each()}


def test_parameters_are_parsed_once_for_an_attempt() -> None:
    assert shout.run(attempt(shout, {"times": 2})) == Completed(NOTHING, {"said": "heyhey"})


def test_a_type_without_parameters_does_not_look_at_them() -> None:
    assert plain.run(attempt(plain, {"left": "over"})) == Completed(NOTHING)


def test_parameters_of_another_version_fail_the_job() -> None:
    outcome = shout.run(attempt(shout, {"times": "2", "tone": 1}))

    assert isinstance(outcome, Failed)
    assert outcome.code == "invalid_parameters"
    assert "parameters.times" in outcome.error
    assert "parameters.tone" in outcome.error


def test_everything_that_is_wrong_is_said_at_once() -> None:
    validate(shout, "a.txt", "TXT", {"times": 3})
    assert wrong(shout, "", "") == {("source_file", "required"), ("target_format", "required")}
    assert wrong(shout, "../a", "mp4", times="1") == {
        ("source_file", "outside_store"),
        ("target_format", "unknown_format"),
        ("parameters.times", "invalid"),
    }


def test_the_own_check_comes_once_the_rest_is_right() -> None:
    assert wrong(shout, "a", "mp4", times=13) == {("target_format", "unknown_format")}
    assert wrong(shout, "a", "txt", times=13) == {("parameters.times", "unlucky")}


def test_what_a_type_has_not_is_refused() -> None:
    assert wrong(plain, "a", "txt", times=1) == {
        ("source_file", "not_taken"),
        ("target_format", "not_taken"),
        ("parameters.times", "unknown_parameter"),
    }


def test_a_source_that_must_be_there(media_root: Path) -> None:
    @processor("stored", source=Source.STORED)
    def stored(context: Context, parameters: NoParameters) -> Outcome:
        return Completed(NOTHING)

    (media_root / "sources" / "here").touch()
    validate(stored, "here", "", {})
    with pytest.raises(Invalid) as caught:
        validate(stored, "there", "", {})
    assert (caught.value.code, caught.value.status) == ("source_not_found", 422)


def test_what_is_told_of_a_type(settings: Settings) -> None:
    settings.JOB_RETRY_DELAY_SECONDS = 3.0

    assert described(shout) == {
        "job_type": "shout",
        "title": "Shout aloud.",
        "description": "So that all hear it.",
        "source_file": "named",
        "target_formats": ["txt"],
        "parameters": {
            "title": "Loudness",
            "description": "How loud.",
            "type": "object",
            "properties": {"times": {"default": 1, "title": "Times", "type": "integer"}},
            "additionalProperties": False,
        },
        "priority": 8,
        "retry": {"max_attempts": 7, "first_wait_seconds": 2, "longest_wait_seconds": 30},
        "time_limits": {"soft_seconds": 1, "hard_seconds": 2.5},
    }
    assert described(plain)["retry"] == {
        "max_attempts": 3,
        "first_wait_seconds": 3.0,
        "longest_wait_seconds": 600.0,
    }


@pytest.mark.parametrize("name", ["", "x" * 51])
def test_names_that_no_column_holds(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 50 characters"):
        processor(name)


@pytest.mark.parametrize(
    "limits", [TimeLimits(soft=0), TimeLimits(hard=-1), TimeLimits(5, 5), TimeLimits(6, 5)]
)
def test_impossible_limits(limits: TimeLimits) -> None:
    with pytest.raises(ValueError, match="soft one below the hard one"):
        processor("late", limits=limits)
